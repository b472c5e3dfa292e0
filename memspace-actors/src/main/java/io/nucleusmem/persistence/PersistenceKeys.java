package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KeyRange;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Where the plugin's rows lie. All numbers are big endian; {@code pid} is the persistence id in
 * UTF-8 with each byte 00 written as 00 FF, ended by 00.
 *
 * <pre>
 *  key                            value
 *  'p' pid                        1 byte format, 8 bytes timestamp of the first write
 *  'j' pid 00*8                   the delete marker: 1 byte format, 8 bytes deleted up to, 8 bytes removed up to
 *  'j' pid sequence number (8)    one event, see {@link EventRow}; numbers begin at 1
 *  's' pid sequence number (8)    one snapshot, see {@link SnapshotRow}
 *  'd' pid 'f' revision (8)       fence of a durable state: 8 bytes timestamp of the write
 *  'd' pid 'v'                    the durable state itself, see {@link StateRow}
 * </pre>
 *
 * <p>The byte behind the end of an id is never FF (sequence numbers and revisions are positive, the
 * two letters are not), so the end cannot be taken for an escaped 00, no row's key is a prefix of
 * another's, and ids sort as their bytes do.
 *
 * <p>Worked example: event 258 of {@code "a"} is {@code 6A 61 00 00 00 00 00 00 00 01 02}; of
 * {@code "a\0"} it is {@code 6A 61 00 FF 00 00 00 00 00 00 00 01 02}.
 */
final class PersistenceKeys {
  /** Longest persistence id in bytes, escaped; leaves room for what follows it in a key. */
  static final int ID_BYTES_MAX = 2_048;

  private static final byte ESCAPED = (byte) 0xFF;

  private PersistenceKeys() {}

  static final KeyRange ALL_IDS = KeyRange.prefix(Bytes.utf8("p"));

  static Bytes id(String persistenceId) {
    return Bytes.wrap(prefix('p', persistenceId));
  }

  /** Reads the persistence id out of an 'p' key. */
  static String idOf(Bytes key) {
    var plain = new ByteArrayOutputStream(key.length());
    for (int i = 1; i < key.length() - 1; i++) {
      plain.write(key.at(i));
      if (key.at(i) == 0) {
        i++; // its FF
      }
    }
    return plain.toString(StandardCharsets.UTF_8);
  }

  /** The ids behind one, in key order. */
  static KeyRange idsAfter(String persistenceId) {
    return ALL_IDS.startingAt(successor(id(persistenceId)));
  }

  static Bytes deleteMarker(String persistenceId) {
    return numbered(prefix('j', persistenceId), 0);
  }

  static Bytes event(String persistenceId, long sequenceNr) {
    return numbered(prefix('j', persistenceId), sequenceNr);
  }

  /** The events of an id with numbers in [from, to], both at least 1. */
  static KeyRange events(String persistenceId, long from, long to) {
    return numberedRange(prefix('j', persistenceId), from, to);
  }

  static Bytes snapshot(String persistenceId, long sequenceNr) {
    return numbered(prefix('s', persistenceId), sequenceNr);
  }

  /** The snapshots of an id with numbers in [from, to]. */
  static KeyRange snapshots(String persistenceId, long from, long to) {
    return numberedRange(prefix('s', persistenceId), from, to);
  }

  static Bytes state(String persistenceId) {
    return lettered(prefix('d', persistenceId), 'v');
  }

  static Bytes stateFence(String persistenceId, long revision) {
    return numbered(lettered(prefix('d', persistenceId), 'f').shared(), revision);
  }

  /** The number at the end of an event's or a snapshot's key. */
  static long numberOf(Bytes key) {
    return ByteBuffer.wrap(key.shared(), key.length() - Long.BYTES, Long.BYTES).getLong();
  }

  private static byte[] prefix(char kind, String persistenceId) {
    byte[] plain = persistenceId.getBytes(StandardCharsets.UTF_8);
    var escaped = new ByteArrayOutputStream(plain.length + 2 + Long.BYTES);
    escaped.write(kind);
    for (byte b : plain) {
      escaped.write(b);
      if (b == 0) {
        escaped.write(ESCAPED);
      }
    }
    escaped.write(0);
    if (persistenceId.isEmpty() || escaped.size() > ID_BYTES_MAX) {
      throw new IllegalArgumentException(
          "persistence id takes [%d] bytes in a key; it must take 3 to %d"
              .formatted(escaped.size(), ID_BYTES_MAX));
    }
    return escaped.toByteArray();
  }

  private static Bytes lettered(byte[] prefix, char letter) {
    return Bytes.wrap(
        ByteBuffer.allocate(prefix.length + 1).put(prefix).put((byte) letter).array());
  }

  private static Bytes numbered(byte[] prefix, long number) {
    return Bytes.wrap(
        ByteBuffer.allocate(prefix.length + Long.BYTES).put(prefix).putLong(number).array());
  }

  private static KeyRange numberedRange(byte[] prefix, long from, long to) {
    return new KeyRange(numbered(prefix, from), successor(numbered(prefix, to)));
  }

  /** The smallest key behind a key. */
  private static Bytes successor(Bytes key) {
    return key.concat(Bytes.wrap(new byte[1]));
  }
}
