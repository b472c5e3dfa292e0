package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A space with its history in one file.
 *
 * <pre>
 * file    magic(8)="NMSPACE1" block* end
 * block   kind(1) length(4) payload crc(4)     CRC-32C of kind, length and payload; numbers big endian
 * kinds   H  header (JSON)
 *         G  a ledger begins (JSON): the space's own first, then its topics by name
 *         C  commits, oldest first: (first(8) log row(bytes))*
 *         V  versions, by region, key, newest first: (region(1) key(bytes) revision(8) version(bytes))*
 *         S  rows of state that travel: (table(1) key(bytes) row(bytes))*
 *         E  end (JSON): blocks and bytes in front of it, and SHA-256 of all these bytes
 * </pre>
 *
 * Log rows and versions are those of DESIGN.md, section 3; a log row carries no bodies, no request
 * ids and no changes of state. The same space at the same instant gives the same bytes.
 */
final class ExportFormat {
  static final Bytes MAGIC = Bytes.utf8("NMSPACE1");
  static final int VERSION = 1;
  static final int BLOCK_BYTES_MAX = 8 << 20; // a version's row is smaller than that
  static final int HEAD_BYTES = 5;
  static final int CRC_BYTES = 4;

  static final char HEADER = 'H';
  static final char LEDGER = 'G';
  static final char COMMITS = 'C';
  static final char VERSIONS = 'V';
  static final char STATE = 'S';
  static final char END = 'E';

  private ExportFormat() {}

  /**
   * What the space is.
   *
   * @param revision newest one in the file
   * @param timestamp store's time that the file shows the space at
   * @param createdAt store's time in milliseconds
   * @param topics how many ledgers follow the space's own
   */
  record Header(
      int version,
      String space,
      String kind,
      Map<String, String> labels,
      Long retentionMillis,
      Long retentionVersions,
      Long retentionBytes,
      long revision,
      long timestamp,
      long createdAt,
      int topics) {}

  /**
   * A ledger.
   *
   * @param topic null for the space itself
   * @param revision newest one in the file
   * @param floor oldest revision that can be read
   */
  record Ledger(String topic, long revision, long floor) {}

  /** The end. */
  record End(long blocks, long bytes, String sha256) {}

  static Bytes block(char kind, Bytes payload) {
    int length = payload.length();
    byte[] block = new byte[HEAD_BYTES + length + CRC_BYTES];
    block[0] = (byte) kind;
    putInt(block, 1, length);
    System.arraycopy(payload.shared(), 0, block, HEAD_BYTES, length);
    putInt(block, HEAD_BYTES + length, crc(block, HEAD_BYTES + length));
    return Bytes.wrap(block);
  }

  static Bytes json(char kind, Object content) {
    return block(kind, StateJson.encode(content));
  }

  static int crc(byte[] data, int length) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, length);
    return (int) crc.getValue();
  }

  static int getInt(byte[] data, int at) {
    return (data[at] & 0xFF) << 24
        | (data[at + 1] & 0xFF) << 16
        | (data[at + 2] & 0xFF) << 8
        | data[at + 3] & 0xFF;
  }

  private static void putInt(byte[] data, int at, int value) {
    data[at] = (byte) (value >>> 24);
    data[at + 1] = (byte) (value >>> 16);
    data[at + 2] = (byte) (value >>> 8);
    data[at + 3] = (byte) value;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  static String hex(byte[] digest) {
    return HexFormat.of().formatHex(digest);
  }

  static BytesWriter payload() {
    return new BytesWriter(4_096);
  }
}
