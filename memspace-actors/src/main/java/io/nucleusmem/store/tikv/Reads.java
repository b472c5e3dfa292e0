package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.tikv.kvproto.Kvrpcpb.BatchGetRequest;
import org.tikv.kvproto.Kvrpcpb.BatchGetResponse;
import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.kvproto.Kvrpcpb.GetRequest;
import org.tikv.kvproto.Kvrpcpb.GetResponse;
import org.tikv.kvproto.Kvrpcpb.KeyError;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.kvproto.Kvrpcpb.ScanRequest;
import org.tikv.kvproto.Kvrpcpb.ScanResponse;
import org.tikv.kvproto.TikvGrpc;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * Reads at one timestamp each, of any number of regions. Locks in the way are resolved, or read
 * past.
 */
final class Reads {
  private static final int SCAN_ROWS = 256; // of one request, until the size of rows is known
  private static final long SCAN_BYTES = 2L << 20; // that one request should fetch

  private final Stores stores;
  private final Locks locks;
  private final Keys keys;

  Reads(Stores stores, Locks locks, Keys keys) {
    this.stores = stores;
    this.locks = locks;
    this.keys = keys;
  }

  /** One read: its timestamp, until when, and the transactions that it may read past. */
  static final class View {
    final long timestamp;
    final Deadline deadline;
    private final Set<Long> after = ConcurrentHashMap.newKeySet();
    private int waits;

    View(long timestamp, Deadline deadline) {
      this.timestamp = timestamp;
      this.deadline = deadline;
    }

    private Context context(Region region) {
      return region.context().addAllResolvedLocks(after).build();
    }
  }

  CompletableFuture<Optional<Bytes>> get(Bytes key, View view) {
    ByteString encoded = keys.key(key);
    return stores
        .retrying(
            encoded,
            false,
            TikvGrpc.getKvGetMethod(),
            region ->
                GetRequest.newBuilder()
                    .setContext(view.context(region))
                    .setKey(encoded)
                    .setVersion(view.timestamp)
                    .build(),
            GetResponse::getRegionError,
            view.deadline)
        .thenCompose(
            answered -> {
              GetResponse answer = answered.answer();
              if (answer.hasError()) {
                return past(answer.getError(), view).thenCompose(done -> get(key, view));
              }
              // TiDB's own small store says it by the empty value alone, which no row of ours has
              return CompletableFuture.completedFuture(
                  answer.getNotFound() || answer.getValue().isEmpty()
                      ? Optional.<Bytes>empty()
                      : Optional.of(Keys.value(answer.getValue())));
            });
  }

  /** Those that exist. */
  CompletableFuture<Map<Bytes, Bytes>> getAll(Iterable<Bytes> wanted, View view) {
    List<ByteString> encoded = new ArrayList<>();
    wanted.forEach(key -> encoded.add(keys.key(key)));
    return getAll(encoded, view, new HashMap<>());
  }

  private CompletableFuture<Map<Bytes, Bytes>> getAll(
      List<ByteString> wanted, View view, Map<Bytes, Bytes> into) {
    if (wanted.isEmpty()) {
      return CompletableFuture.completedFuture(into);
    }
    return stores
        .retrying(
            wanted.get(0),
            false,
            TikvGrpc.getKvBatchGetMethod(),
            region ->
                BatchGetRequest.newBuilder()
                    .setContext(view.context(region))
                    .addAllKeys(wanted.stream().filter(region::holds).toList())
                    .setVersion(view.timestamp)
                    .build(),
            BatchGetResponse::getRegionError,
            view.deadline)
        .thenCompose(
            answered -> {
              BatchGetResponse answer = answered.answer();
              KeyError error = firstError(answer.getPairsList());
              if (answer.hasError() || error != null) {
                return past(answer.hasError() ? answer.getError() : error, view)
                    .thenCompose(done -> getAll(wanted, view, into));
              }
              answer
                  .getPairsList()
                  .forEach(pair -> into.put(keys.key(pair.getKey()), Keys.value(pair.getValue())));
              return getAll(
                  wanted.stream().filter(key -> !answered.region().holds(key)).toList(),
                  view,
                  into);
            });
  }

  /**
   * The first rows of a range; fewer than the limit only at its end.
   *
   * @return at most {@code limit} rows
   */
  CompletableFuture<List<Row>> scan(KeyRange range, int limit, Direction direction, View view) {
    if (range.isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return scan(
        keys.key(range.from()),
        keys.end(range.to()),
        limit,
        SCAN_ROWS,
        direction,
        view,
        new ArrayList<>());
  }

  private CompletableFuture<List<Row>> scan(
      ByteString from,
      ByteString to,
      int limit,
      int rowsMax,
      Direction direction,
      View view,
      List<Row> into) {
    boolean reverse = direction == Direction.DESCENDING;
    int rows = Math.min(limit - into.size(), rowsMax);
    return stores
        .retrying(
            reverse ? to : from,
            reverse,
            TikvGrpc.getKvScanMethod(),
            region -> request(region, from, to, rows, reverse, view),
            ScanResponse::getRegionError,
            view.deadline)
        .thenCompose(
            answered -> {
              ScanResponse answer = answered.answer();
              KeyError error = firstError(answer.getPairsList());
              if (answer.hasError() || error != null) {
                return past(answer.hasError() ? answer.getError() : error, view)
                    .thenCompose(done -> scan(from, to, limit, rowsMax, direction, view, into));
              }
              long bytes = 0;
              for (KvPair pair : answer.getPairsList()) {
                into.add(new Row(keys.key(pair.getKey()), Keys.value(pair.getValue())));
                bytes += pair.getSerializedSize();
              }
              int count = answer.getPairsCount();
              boolean full = count == rows;
              if (into.size() == limit || !full && isLast(answered.region(), from, to, reverse)) {
                return CompletableFuture.completedFuture(into);
              }
              // the end of the region that has answered, not of the one that is there by now
              ByteString last = full ? answer.getPairs(count - 1).getKey() : null;
              ByteString nextFrom =
                  reverse ? from : full ? last.concat(ZERO) : answered.region().end();
              ByteString nextTo = reverse ? (full ? last : answered.region().start()) : to;
              int next =
                  count == 0
                      ? rowsMax
                      : (int) Math.max(1, Math.min(limit, SCAN_BYTES / (bytes / count + 1)));
              return scan(nextFrom, nextTo, limit, next, direction, view, into);
            });
  }

  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);

  private static ScanRequest request(
      Region region, ByteString from, ByteString to, int rows, boolean reverse, View view) {
    ByteString low = Keys.compare(from, region.start()) < 0 ? region.start() : from;
    ByteString high =
        !region.end().isEmpty() && Keys.compare(region.end(), to) < 0 ? region.end() : to;
    return ScanRequest.newBuilder()
        .setContext(view.context(region))
        .setStartKey(reverse ? high : low)
        .setEndKey(reverse ? low : high)
        .setLimit(rows)
        .setVersion(view.timestamp)
        .setReverse(reverse)
        .build();
  }

  private static boolean isLast(Region region, ByteString from, ByteString to, boolean reverse) {
    return reverse
        ? Keys.compare(region.start(), from) <= 0
        : region.end().isEmpty() || Keys.compare(to, region.end()) <= 0;
  }

  private static KeyError firstError(List<KvPair> pairs) {
    for (KvPair pair : pairs) {
      if (pair.hasError()) {
        return pair.getError();
      }
    }
    return null;
  }

  /** Gets a lock out of the way of a read, or waits. */
  private CompletableFuture<Void> past(KeyError error, View view) {
    if (!error.hasLocked()) {
      return CompletableFuture.failedFuture(new StoreException("TiKV refused a read: " + error));
    }
    if (view.deadline.hasPassed()) {
      return CompletableFuture.failedFuture(
          new TransientStoreException(
              "a lock was in the way of a read for [%s]".formatted(view.deadline.allowed())));
    }
    return locks
        .resolve(error.getLocked(), view.timestamp, view.deadline)
        .thenCompose(
            state -> {
              switch (state) {
                case GONE -> {
                  return CompletableFuture.completedFuture(null);
                }
                case AFTER_THE_READ -> {
                  view.after.add(error.getLocked().getLockVersion());
                  return CompletableFuture.completedFuture(null);
                }
                default -> {
                  return stores
                      .rpc()
                      .pause(view.waits++, () -> CompletableFuture.completedFuture(null));
                }
              }
            });
  }
}
