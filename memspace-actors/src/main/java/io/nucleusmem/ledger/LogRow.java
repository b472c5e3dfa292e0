package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One commit of a ledger. Its key is its first revision: whoever knows a prefix of the log would
 * insert exactly there, so the insert is the fence, the order and the proof of the commit.
 *
 * <pre>
 * format(1)=1 owner(8) timestamp(8) count(varint) record*
 * record: flags(1: 1=request) author(text) [high(8) low(8) hash(8)] changes(varint) change*
 * change: kind(1: 0=entry 1=state, +2=deleted, +4=body carried, +8=directed, +16=past kept)
 *         entry: region(1) key(bytes) size(varint) [to(text)] [body(bytes)]
 *         state: table(1) key(bytes) [value(bytes)]
 * </pre>
 *
 * @param first revision of the first record; the others follow without gaps. 0 is the ledger's
 *     creation
 * @param owner the incarnation that wrote it; with the timestamp it names the batch
 * @param timestamp the store's time, taken after the commands had arrived
 */
public record LogRow(long first, long owner, long timestamp, List<LogRecord> records) {
  private static final int FORMAT = 1;
  private static final int STATE = 1;
  private static final int DELETED = 2;
  private static final int BODY = 4;
  private static final int DIRECTED = 8;
  private static final int KEPT = 16;

  public LogRow {
    records = List.copyOf(records);
  }

  /** Revision of the last record. */
  public long last() {
    return first + records.size() - 1;
  }

  /** The record of a revision that lies in this row. */
  public LogRecord record(long revision) {
    return records.get((int) (revision - first));
  }

  /** The commit without the records behind a revision, which is in it or behind it. */
  public LogRow upTo(long revision) {
    return last() <= revision
        ? this
        : new LogRow(first, owner, timestamp, records.subList(0, (int) (revision - first + 1)));
  }

  /** True if both are the same commit, not only at the same place. */
  public boolean sameBatch(LogRow other) {
    return owner == other.owner && timestamp == other.timestamp;
  }

  /** The same commit with nothing but who asked for what. */
  LogRow withoutChanges() {
    return new LogRow(
        first,
        owner,
        timestamp,
        records.stream().map(r -> new LogRecord(r.author(), r.request(), List.of())).toList());
  }

  /** Brings rows of state up to this commit. */
  void applyState(Map<StateKey, Bytes> state) {
    for (LogRecord record : records) {
      for (Change change : record.changes()) {
        if (change instanceof Change.OfState row) {
          if (row.value() == null) {
            state.remove(row.key());
          } else {
            state.put(row.key(), row.value());
          }
        }
      }
    }
  }

  /**
   * The row as stored.
   *
   * @param bodies whether what entries hold is carried: where versions are written behind the log,
   *     it must be
   */
  public Bytes encode(boolean bodies) {
    BytesWriter out = new BytesWriter(64 + records.size() * 64);
    out.u8(FORMAT).i64(owner).i64(timestamp).varint(records.size());
    for (LogRecord record : records) {
      out.u8(record.request() == null ? 0 : 1).text(record.author());
      if (record.request() != null) {
        out.i64(record.request().high()).i64(record.request().low()).i64(record.request().hash());
      }
      out.varint(record.changes().size());
      for (Change change : record.changes()) {
        if (change instanceof Change.OfEntry entry) {
          encode(out, entry, bodies && entry.body() != null);
        } else if (change instanceof Change.OfState state) {
          out.u8(STATE | (state.value() == null ? DELETED : BODY) | (state.kept() ? KEPT : 0))
              .u8(state.key().table())
              .bytes(state.key().key());
          if (state.value() != null) {
            out.bytes(state.value());
          }
        }
      }
    }
    return out.toBytes();
  }

  private static void encode(BytesWriter out, Change.OfEntry entry, boolean body) {
    out.u8(
        (entry.deleted() ? DELETED : 0) | (body ? BODY : 0) | (entry.to() == null ? 0 : DIRECTED));
    out.u8(entry.entry().region()).bytes(entry.entry().key()).varint(entry.size());
    if (entry.to() != null) {
      out.text(entry.to());
    }
    if (body) {
      out.bytes(entry.body());
    }
  }

  /**
   * The row of stored bytes.
   *
   * @throws IllegalArgumentException if they are of another format: a newer version wrote them, or
   *     they are damaged
   */
  public static LogRow decode(long first, Bytes bytes) {
    BytesReader in = new BytesReader(bytes);
    int format = in.u8();
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "log row [%d] has format [%d]; this version reads [1]".formatted(first, format));
    }
    long owner = in.i64();
    long timestamp = in.i64();
    int count = in.count();
    List<LogRecord> records = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      boolean request = in.u8() == 1;
      String author = in.text();
      RequestStamp stamp = request ? new RequestStamp(in.i64(), in.i64(), in.i64()) : null;
      int changes = in.count();
      List<Change> list = new ArrayList<>(changes);
      for (int j = 0; j < changes; j++) {
        list.add(decodeChange(in));
      }
      records.add(new LogRecord(author, stamp, list));
    }
    return new LogRow(first, owner, timestamp, records);
  }

  private static Change decodeChange(BytesReader in) {
    int kind = in.u8();
    byte place = (byte) in.u8();
    Bytes key = in.bytes();
    if ((kind & STATE) != 0) {
      return new Change.OfState(
          new StateKey(place, key), (kind & BODY) != 0 ? in.bytes() : null, (kind & KEPT) != 0);
    }
    int size = (int) in.varint();
    String to = (kind & DIRECTED) != 0 ? in.text() : null;
    Bytes body = (kind & BODY) != 0 ? in.bytes() : null;
    return new Change.OfEntry(new EntryRef(place, key), (kind & DELETED) != 0, body, size, to);
  }
}
