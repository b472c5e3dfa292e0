package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;

/**
 * Names a ledger for ever: never used again, also when the space that it was made for is gone and
 * another has its name.
 *
 * @param bytes 16, spread evenly
 */
public record LedgerId(Bytes bytes) {
  public static final int LENGTH = 16;

  public LedgerId {
    if (bytes.length() != LENGTH) {
      throw new IllegalArgumentException(
          "a ledger id has [16] bytes; found [%d]".formatted(bytes.length()));
    }
  }

  /** The id with these 128 bits. */
  public static LedgerId of(UUID uuid) {
    return new LedgerId(
        new BytesWriter(LENGTH)
            .i64(uuid.getMostSignificantBits())
            .i64(uuid.getLeastSignificantBits())
            .toBytes());
  }

  /** A new id. */
  public static LedgerId random() {
    return of(UUID.randomUUID());
  }

  /**
   * The id of a ledger that belongs to another: the same for the same name, and born at the same
   * revision.
   */
  public LedgerId child(String name, long bornAt) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(bytes.shared());
      sha.update(name.getBytes(StandardCharsets.UTF_8));
      sha.update(new BytesWriter(8).i64(bornAt).toBytes().shared());
      return new LedgerId(Bytes.wrap(sha.digest()).slice(0, LENGTH));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** The id of its hexadecimal form. */
  public static LedgerId parse(String hex) {
    return new LedgerId(Bytes.wrap(HexFormat.of().parseHex(hex)));
  }

  /** 32 hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes.shared());
  }
}
