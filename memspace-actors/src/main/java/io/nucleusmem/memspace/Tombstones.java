package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What stands in the place of a version that cannot be read: its content has no value, a type of
 * its own and, as metadata, who did that and why.
 */
final class Tombstones {
  private static final String HMAC = "HmacSHA256";

  private Tombstones() {}

  /**
   * The tombstone of an erased body.
   *
   * @param hash keyed, of what it was; null while it is still there
   */
  static Bytes erasedBody(ErasureRule rule, String hash) {
    Map<String, String> told = new LinkedHashMap<>();
    told.put("erased_by", rule.by());
    told.put("reason", rule.reason());
    told.put("erased_at", Timestamps.instant(rule.before()).toString());
    told.put("erasure", rule.id());
    if (hash != null) {
      told.put("hash", hash);
    }
    return ContentCodec.encode(new Content(Bytes.EMPTY, Content.ERASED, told));
  }

  static Version erased(Version version, ErasureRule rule, String hash) {
    return version.withBody(erasedBody(rule, hash));
  }

  static Version quarantined(Version version, ReadRules.Quarantined rule) {
    Map<String, String> told =
        Map.of(
            "quarantined_by",
            rule.by(),
            "reason",
            rule.reason(),
            "quarantined_at",
            java.time.Instant.ofEpochMilli(rule.at()).toString());
    return version.withBody(
        ContentCodec.encode(new Content(Bytes.EMPTY, Content.QUARANTINED, told)));
  }

  static boolean isOne(Version version) {
    return isOne(ContentCodec.decode(version.body()));
  }

  static boolean isOne(Content content) {
    return content.isErased() || content.contentType().equals(Content.QUARANTINED);
  }

  /** Refuses a read of what cannot be read. */
  static void refuse(String what, long revision, Content content) {
    if (isOne(content)) {
      throw refusal(what, revision, content);
    }
  }

  static MemSpaceException refusal(String what, long revision, Content content) {
    Map<String, Object> details = new LinkedHashMap<>(content.metadata());
    details.put("revision", revision);
    boolean erased = content.isErased();
    return new MemSpaceException(
        erased ? ErrorCode.ERASED : ErrorCode.QUARANTINED,
        "[%s] at revision [%d] is %s by [%s]: %s"
            .formatted(
                what,
                revision,
                erased ? "erased" : "in quarantine",
                content.metadata().get(erased ? "erased_by" : "quarantined_by"),
                content.metadata().get("reason")),
        details);
  }

  /** Says of an old content that it was this one, to who has the key, and nothing to others. */
  static String keyedHash(Bytes key, Bytes body) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(new SecretKeySpec(key.shared(), HMAC));
      return HexFormat.of().formatHex(mac.doFinal(body.shared()));
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException("every JVM has " + HMAC, e);
    }
  }

  /** An entry of a version, unless it is a tombstone. */
  static Optional<Entry> readable(Version version) {
    Entry entry = ContentCodec.entry(version, true);
    if (!entry.deleted()) {
      refuse(entry.key().toString(), entry.revision(), entry.content());
    }
    return Optional.of(entry);
  }
}
