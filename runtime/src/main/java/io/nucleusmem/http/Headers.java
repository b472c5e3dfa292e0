package io.nucleusmem.http;

import akka.http.javadsl.model.HttpHeader;
import akka.http.javadsl.model.headers.RawHeader;
import java.nio.charset.StandardCharsets;

/** The names of the contract's headers, and values that are safe to send. */
final class Headers {
  static final String AUTHORIZATION = "Authorization";
  static final String AT = "Nucleus-At";
  static final String AT_LEAST = "Nucleus-At-Least";
  static final String AUTHOR = "Nucleus-Author";
  static final String CLAIM = "Nucleus-Claim";
  static final String CLAIM_DONE = "Nucleus-Claim-Done";
  static final String ETAG = "ETag";
  static final String IDEMPOTENCY_KEY = "Idempotency-Key";
  static final String IF_MATCH = "If-Match";
  static final String IF_NONE_MATCH = "If-None-Match";
  static final String LAST_EVENT_ID = "Last-Event-ID";
  static final String LOCATION = "Location";
  static final String MAX_AGE_MS = "Nucleus-Max-Age-Ms";
  static final String MESSAGE_ID = "Nucleus-Message-Id";
  static final String METADATA = "Nucleus-Metadata";
  static final String MOUNT = "Nucleus-Mount";
  static final String REPLAYED = "Nucleus-Replayed";
  static final String RETRY_AFTER = "Retry-After";
  static final String REVISION = "Nucleus-Revision";

  private Headers() {}

  /** A header; what is no visible ASCII in its value is percent-encoded, line ends above all. */
  static HttpHeader of(String name, String value) {
    return RawHeader.create(name, visible(value));
  }

  /** The entity tag of a revision. */
  static HttpHeader etag(long revision) {
    return RawHeader.create(ETAG, "\"" + revision + "\"");
  }

  private static String visible(String value) {
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) < 0x20 || value.charAt(i) > 0x7E) {
        return encode(value);
      }
    }
    return value;
  }

  private static String encode(String value) {
    StringBuilder encoded = new StringBuilder(value.length() + 16);
    for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
      if (b >= 0x20 && b < 0x7F) {
        encoded.append((char) b);
      } else {
        encoded.append('%').append("%02X".formatted(b & 0xFF));
      }
    }
    return encoded.toString();
  }
}
