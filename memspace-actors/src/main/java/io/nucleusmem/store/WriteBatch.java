package io.nucleusmem.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What one commit writes and on which conditions. It is sealed when built: sent again, it is the
 * same bytes with the same timestamp, so an engine may resend it as often as it likes.
 *
 * <p>A key appears at most once, in whatever role.
 */
public final class WriteBatch {
  /** One line of a batch. */
  public sealed interface Op {
    Bytes key();
  }

  /** Writes a row that must not exist. */
  public record Insert(Bytes key, Bytes value) implements Op {}

  /** Writes nothing; the row must exist. */
  public record Require(Bytes key) implements Op {}

  /** Writes a row, whether it exists or not. */
  public record Put(Bytes key, Bytes value) implements Op {}

  /** Removes a row, whether it exists or not. */
  public record Delete(Bytes key) implements Op {}

  private final long timestamp;
  private final List<Op> ops;
  private final long bytes;

  private WriteBatch(long timestamp, List<Op> ops, long bytes) {
    this.timestamp = timestamp;
    this.ops = ops;
    this.bytes = bytes;
  }

  /**
   * Begins a batch.
   *
   * @param timestamp from {@link KvStore#now()}, never used for another batch
   */
  public static Builder at(long timestamp) {
    return new Builder(timestamp);
  }

  /** The store's time that the batch was sealed with. */
  public long timestamp() {
    return timestamp;
  }

  /** Conditions and writes, in the order they were added. Not modifiable. */
  public List<Op> ops() {
    return ops;
  }

  /** Size of all keys and values. */
  public long bytes() {
    return bytes;
  }

  /** Collects the lines of a batch. Used once. */
  public static final class Builder {
    private final long timestamp;
    private final List<Op> ops = new ArrayList<>();
    private long bytes;

    private Builder(long timestamp) {
      this.timestamp = timestamp;
    }

    /** Adds a row that must not exist; if it does, the whole batch is refused. */
    public Builder insert(Bytes key, Bytes value) {
      return add(new Insert(key, value), key.length() + value.length());
    }

    /** Adds the condition that a row exists; if it does not, the whole batch is refused. */
    public Builder require(Bytes key) {
      return add(new Require(key), key.length());
    }

    /** Adds a row. */
    public Builder put(Bytes key, Bytes value) {
      return add(new Put(key, value), key.length() + value.length());
    }

    /** Adds the removal of a row. */
    public Builder delete(Bytes key) {
      return add(new Delete(key), key.length());
    }

    /** Size of all keys and values so far. */
    public long bytes() {
      return bytes;
    }

    /** Number of lines so far. */
    public int size() {
      return ops.size();
    }

    /** Seals the batch. */
    public WriteBatch build() {
      return new WriteBatch(timestamp, Collections.unmodifiableList(ops), bytes);
    }

    private Builder add(Op op, int size) {
      ops.add(op);
      bytes += size;
      return this;
    }
  }
}
