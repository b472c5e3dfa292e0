package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KeyRange;

/**
 * The keys of a ledger's rows, byte by byte. All begin with {@code 'l'} and the 16 bytes of the id.
 *
 * <pre>
 * l id 'L' first(8)                        a commit: what it changed, see {@link LogRow}
 * l id 'V' region(1) escaped(key) ~rev(8)  a version of an entry, newest first, see {@link Version}
 * l id 'S' table(1) key                    a row of state, as it is now
 * l id 'H' table(1) escaped(key) ~time(8)  a row of state as it was from a commit on, see {@link PastState}
 * l id 'T' timestamp(8)                    first revision of a commit of that time: an anchor for instants
 * l id 'I' first(8)                        where derived rows are written behind the log: the last revision (varint)
 *                                          of those that were written together; only the newest two are kept
 * </pre>
 *
 * Numbers are big endian, {@code ~rev} is the revision with all bits inverted. {@code escaped}
 * writes 00 as 00 FF and ends with 00 01, so that byte order is (region, key, newest first) and no
 * key is a prefix of another's row. Worked example: versions 1 and 2 of {@code a} and version 3 of
 * {@code ab} sort as {@code a 00 01 ~2, a 00 01 ~1, a b 00 01 ~3}.
 */
public final class LedgerKeys {
  private static final int PREFIX = 'l';
  private static final int HEAD = 1 + LedgerId.LENGTH + 1;

  private LedgerKeys() {}

  /** Every row of a ledger. */
  public static KeyRange all(LedgerId id) {
    return KeyRange.prefix(new BytesWriter(HEAD).u8(PREFIX).raw(id.bytes()).toBytes());
  }

  /** The log row whose first revision this is. */
  public static Bytes log(LedgerId id, long first) {
    return head(id, 'L', 8).i64(first).toBytes();
  }

  /** The log rows whose first revision lies in [from, to). */
  public static KeyRange log(LedgerId id, long from, long to) {
    return new KeyRange(log(id, from), to == Long.MAX_VALUE ? logEnd(id) : log(id, to));
  }

  /** All log rows. */
  public static KeyRange log(LedgerId id) {
    return KeyRange.prefix(head(id, 'L', 0).toBytes());
  }

  /** The first revision in a log row's key. */
  public static long firstOf(Bytes logKey) {
    return new BytesReader(logKey, HEAD).i64();
  }

  /** The version of an entry at a revision. */
  public static Bytes version(LedgerId id, EntryRef entry, long revision) {
    return versions(id, entry).i64(~revision).toBytes();
  }

  /** The versions of an entry at or below a revision, newest first. */
  public static KeyRange versionsFrom(LedgerId id, EntryRef entry, long revision) {
    Bytes prefix = versions(id, entry).toBytes();
    Bytes from = new BytesWriter(prefix.length() + 8).raw(prefix).i64(~revision).toBytes();
    return new KeyRange(from, KeyRange.after(prefix));
  }

  /** The versions of all entries of a region whose key begins with the prefix. */
  public static KeyRange versions(LedgerId id, byte region, Bytes keyPrefix) {
    return KeyRange.prefix(
        head(id, 'V', keyPrefix.length() + 2).u8(region).escapedOpen(keyPrefix).toBytes());
  }

  /** The versions of all entries. */
  static KeyRange allVersions(LedgerId id) {
    return KeyRange.prefix(head(id, 'V', 0).toBytes());
  }

  /** All anchors. */
  static KeyRange times(LedgerId id) {
    return KeyRange.prefix(head(id, 'T', 0).toBytes());
  }

  /** The versions of all entries of a region whose key is at or behind one. */
  public static Bytes versionsStart(LedgerId id, EntryRef entry) {
    return versions(id, entry).toBytes();
  }

  /** A range of one ledger's rows as the same range of another's. */
  public static KeyRange ofLedger(LedgerId other, KeyRange range) {
    Bytes head = new BytesWriter(HEAD).u8(PREFIX).raw(other.bytes()).toBytes();
    return new KeyRange(rebased(head, range.from()), rebased(head, range.to()));
  }

  private static Bytes rebased(Bytes head, Bytes key) {
    return head.concat(key.slice(head.length(), key.length()));
  }

  /** Entry and revision of a version's key. */
  public static VersionKey parseVersion(Bytes key) {
    BytesReader in = new BytesReader(key, HEAD);
    byte region = (byte) in.u8();
    Bytes name = in.unescaped();
    return new VersionKey(new EntryRef(region, name), ~in.i64());
  }

  /** A row of state. */
  public static Bytes state(LedgerId id, StateKey key) {
    return head(id, 'S', key.key().length() + 1).u8(key.table()).raw(key.key()).toBytes();
  }

  /** All rows of state. */
  public static KeyRange state(LedgerId id) {
    return KeyRange.prefix(head(id, 'S', 0).toBytes());
  }

  /** Table and key of a row of state. */
  public static StateKey parseState(Bytes key) {
    BytesReader in = new BytesReader(key, HEAD);
    return new StateKey((byte) in.u8(), in.rest());
  }

  /** A row of state as it was from the time of a commit on. */
  static Bytes past(LedgerId id, StateKey key, long timestamp) {
    return new BytesWriter(HEAD + key.key().length() + 11)
        .raw(past(id, key).from())
        .i64(~timestamp)
        .toBytes();
  }

  /** All of a row's past, newest first. */
  static KeyRange past(LedgerId id, StateKey key) {
    return KeyRange.prefix(
        head(id, 'H', key.key().length() + 3).u8(key.table()).escaped(key.key()).toBytes());
  }

  /** The past of a table's rows. */
  static KeyRange past(LedgerId id, byte table) {
    return KeyRange.prefix(head(id, 'H', 1).u8(table).toBytes());
  }

  /** The past of all rows of state of which it is kept. */
  static KeyRange past(LedgerId id) {
    return KeyRange.prefix(head(id, 'H', 0).toBytes());
  }

  /** Row and time of such a key. */
  static PastKey parsePast(Bytes key) {
    BytesReader in = new BytesReader(key, HEAD);
    byte table = (byte) in.u8();
    Bytes name = in.unescaped();
    return new PastKey(new StateKey(table, name), ~in.i64());
  }

  /** Place of a row of state as it was. */
  record PastKey(StateKey state, long timestamp) {}

  /** An anchor of a time. */
  public static Bytes time(LedgerId id, long timestamp) {
    return head(id, 'T', 8).i64(timestamp).toBytes();
  }

  /** The row that says which revisions were written behind the log together; by the first one. */
  static Bytes index(LedgerId id, long first) {
    return head(id, 'I', 8).i64(first).toBytes();
  }

  /** All rows of that kind. */
  static KeyRange index(LedgerId id) {
    return KeyRange.prefix(head(id, 'I', 0).toBytes());
  }

  /** The anchors at or below a time. */
  public static KeyRange timesUpTo(LedgerId id, long timestamp) {
    return new KeyRange(head(id, 'T', 0).toBytes(), time(id, timestamp + 1));
  }

  /** The anchors behind a time. */
  public static KeyRange timesAfter(LedgerId id, long timestamp) {
    return new KeyRange(time(id, timestamp + 1), head(id, 'T' + 1, 0).toBytes());
  }

  /** A version's place. */
  public record VersionKey(EntryRef entry, long revision) {}

  private static Bytes logEnd(LedgerId id) {
    return head(id, 'L' + 1, 0).toBytes();
  }

  private static BytesWriter versions(LedgerId id, EntryRef entry) {
    return head(id, 'V', entry.key().length() + 10).u8(entry.region()).escaped(entry.key());
  }

  private static BytesWriter head(LedgerId id, int kind, int more) {
    return new BytesWriter(HEAD + more).u8(PREFIX).raw(id.bytes()).u8(kind);
  }
}
