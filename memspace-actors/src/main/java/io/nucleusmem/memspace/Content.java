package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import java.util.Map;

/**
 * What an entry or message holds.
 *
 * @param value at most 1 MiB (configurable); may be empty
 * @param contentType a media type, at most 255 characters
 * @param metadata free text by name; 4 KiB in all
 */
public record Content(Bytes value, String contentType, Map<String, String> metadata) {
  public static final String TEXT = "text/plain; charset=utf-8";
  public static final String JSON = "application/json";
  public static final String BINARY = "application/octet-stream";

  /** The type of what stands in the place of an erased content: no value, and who and why. */
  public static final String ERASED = "application/vnd.nucleusmem.erased";

  /** The type of what stands in the place of a version in quarantine. */
  public static final String QUARANTINED = "application/vnd.nucleusmem.quarantined";

  public Content {
    metadata = Map.copyOf(metadata);
  }

  /** Text, stored as UTF-8. */
  public static Content text(String text) {
    return new Content(Bytes.utf8(text), TEXT, Map.of());
  }

  /** A JSON document, stored as given. */
  public static Content json(String json) {
    return new Content(Bytes.utf8(json), JSON, Map.of());
  }

  /** Bytes of no known type. The array must not be changed afterwards. */
  public static Content bytes(byte[] bytes) {
    return new Content(Bytes.wrap(bytes), BINARY, Map.of());
  }

  /** True if this is what an erasure has left. */
  public boolean isErased() {
    return contentType.equals(ERASED);
  }

  /** The same with other metadata. */
  public Content withMetadata(Map<String, String> other) {
    return new Content(value, contentType, other);
  }

  /** The value read as UTF-8. */
  public String text() {
    return value.utf8();
  }
}
