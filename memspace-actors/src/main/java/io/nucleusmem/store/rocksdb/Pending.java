package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.WriteBatch;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A commit on its way.
 *
 * <p>The records are laid out on the caller's thread as RocksDB's own write batch has them, so the
 * commit thread only joins byte arrays and crosses into native code once per group: 12 bytes of
 * header (sequence number, count of records, little endian), then per record a type (0 delete, 1
 * put), and key and value each behind its length as a varint. RocksDB keeps this form stable, it is
 * that of its log.
 */
final class Pending {
  static final int HEADER_BYTES = 12;
  private static final int COUNT_AT = 8;

  final WriteBatch batch;
  final CompletableFuture<Void> stage = new CompletableFuture<>();
  final byte[] encoded;
  final int records;
  final boolean conditional;

  Pending next; // the one pushed before; set before the push publishes it
  StoreException failure; // set by the commit thread before it hands over the completion

  Pending(WriteBatch batch) {
    this.batch = batch;
    int size = HEADER_BYTES;
    int writes = 0;
    boolean conditions = false;
    for (WriteBatch.Op op : batch.ops()) {
      Bytes value = valueOf(op);
      conditions |= op instanceof WriteBatch.Insert || op instanceof WriteBatch.Require;
      if (!(op instanceof WriteBatch.Require)) {
        writes++;
        size += 1 + sized(op.key()) + (value == null ? 0 : sized(value));
      }
    }
    encoded = new byte[size];
    records = writes;
    conditional = conditions;
    encode();
  }

  /** What the store's limits count. */
  long bytes() {
    return encoded.length;
  }

  void complete() {
    if (failure == null) {
      stage.complete(null);
    } else {
      stage.completeExceptionally(failure);
    }
  }

  /** The batch of a group: its records in order. */
  static byte[] join(List<Pending> group, int size) {
    Pending first = group.get(0);
    if (group.size() == 1) {
      putCount(first.encoded, first.records);
      return first.encoded;
    }
    byte[] all = new byte[HEADER_BYTES + size];
    int at = HEADER_BYTES;
    int records = 0;
    for (Pending each : group) {
      int length = each.encoded.length - HEADER_BYTES;
      System.arraycopy(each.encoded, HEADER_BYTES, all, at, length);
      at += length;
      records += each.records;
    }
    putCount(all, records);
    return all;
  }

  /** What an operation writes; null if nothing, or a removal. */
  static Bytes valueOf(WriteBatch.Op op) {
    if (op instanceof WriteBatch.Insert insert) {
      return insert.value();
    }
    return op instanceof WriteBatch.Put put ? put.value() : null;
  }

  private void encode() {
    int at = HEADER_BYTES;
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Require) {
        continue;
      }
      Bytes value = valueOf(op);
      encoded[at++] = (byte) (value == null ? 0 : 1);
      at = put(op.key(), at);
      if (value != null) {
        at = put(value, at);
      }
    }
  }

  private int put(Bytes bytes, int from) {
    int at = from;
    int rest = bytes.length();
    while (rest >= 0x80) {
      encoded[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    encoded[at++] = (byte) rest;
    System.arraycopy(bytes.shared(), 0, encoded, at, bytes.length());
    return at + bytes.length();
  }

  private static int sized(Bytes bytes) {
    int varint = 1;
    for (int rest = bytes.length() >>> 7; rest != 0; rest >>>= 7) {
      varint++;
    }
    return varint + bytes.length();
  }

  private static void putCount(byte[] encoded, int count) {
    for (int i = 0; i < 4; i++) {
      encoded[COUNT_AT + i] = (byte) (count >>> (8 * i));
    }
  }
}
