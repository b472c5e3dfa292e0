package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * {@link KvStore#scanFloor} by plain scans. TiKV can't seek on our behalf, and a request for each
 * prefix would cost a round trip each: so it reads ahead, and where a prefix has more versions than
 * were read, the next request begins behind what is not wanted of it.
 */
final class FloorScan {
  static final Bytes ZERO = Bytes.wrap(new byte[1]);
  private static final int AHEAD_ROWS = 256;

  private final Reads reads;

  FloorScan(Reads reads) {
    this.reads = reads;
  }

  CompletableFuture<Page> page(
      KeyRange range, long revision, int limit, Direction direction, Reads.View view) {
    Walk walk = new Walk(range, revision, limit, direction, view);
    return direction == Direction.ASCENDING ? walk.ascend(range) : walk.descend(range);
  }

  private final class Walk {
    private final KeyRange asked;
    private final long revision;
    private final int limit;
    private final Reads.View view;
    private final int ahead;
    private final List<Row> found = new ArrayList<>();
    private int prefixes; // looked at
    private Bytes prefix; // the one under way
    private boolean settled; // what is wanted of it is found, or is not there

    Walk(KeyRange asked, long revision, int limit, Direction direction, Reads.View view) {
      this.asked = asked;
      this.revision = revision;
      this.limit = limit;
      this.view = view;
      this.ahead = (int) Math.min(AHEAD_ROWS, Math.max(2L, 2L * limit));
    }

    /** The newest version comes first: the first at or below the revision is wanted. */
    CompletableFuture<Page> ascend(KeyRange left) {
      return reads
          .scan(left, ahead, Direction.ASCENDING, view)
          .thenCompose(
              rows -> {
                for (Row row : rows) {
                  Bytes own = prefixOf(row.key());
                  if (!own.equals(prefix)) {
                    if (prefixes == limit) {
                      return done(Optional.of(asked.startingAt(own)));
                    }
                    prefixes++;
                    prefix = own;
                    settled = false;
                  }
                  if (!settled && revisionOf(row.key()) <= revision) {
                    found.add(row);
                    settled = true;
                  }
                }
                if (rows.size() < ahead) {
                  return done(Optional.empty());
                }
                Bytes next =
                    settled ? KeyRange.after(prefix) : versionOf(prefix); // past what is not wanted
                KeyRange rest = asked.startingAt(next);
                return next.isEmpty() || rest.isEmpty() ? done(Optional.empty()) : ascend(rest);
              });
    }

    /** The oldest version comes first: the last at or below the revision is wanted. */
    CompletableFuture<Page> descend(KeyRange left) {
      return reads
          .scan(left, ahead, Direction.DESCENDING, view)
          .thenCompose(
              rows -> {
                Row candidate = null;
                for (Row row : rows) {
                  Bytes own = prefixOf(row.key());
                  if (!own.equals(prefix)) {
                    take(candidate);
                    candidate = null;
                    if (prefixes == limit) {
                      return done(Optional.of(asked.endingAt(KeyRange.after(own))));
                    }
                    prefixes++;
                    prefix = own;
                  }
                  if (revisionOf(row.key()) <= revision) {
                    candidate = row;
                  }
                }
                if (rows.size() < ahead) {
                  take(candidate);
                  return done(Optional.empty());
                }
                return seek(prefix)
                    .thenCompose(
                        row -> {
                          row.ifPresent(found::add);
                          KeyRange rest = asked.endingAt(prefix);
                          return rest.isEmpty() ? done(Optional.empty()) : descend(rest);
                        });
              });
    }

    private void take(Row candidate) {
      if (candidate != null) {
        found.add(candidate);
      }
    }

    /** The version wanted of a prefix that was not read to its end. */
    private CompletableFuture<Optional<Row>> seek(Bytes of) {
      return reads
          .scan(new KeyRange(versionOf(of), KeyRange.after(of)), 1, Direction.ASCENDING, view)
          .thenApply(rows -> rows.stream().findFirst());
    }

    private Bytes versionOf(Bytes of) {
      byte[] key = new byte[of.length() + KvStore.VERSION_BYTES];
      System.arraycopy(of.shared(), 0, key, 0, of.length());
      for (int i = 0; i < KvStore.VERSION_BYTES; i++) {
        key[of.length() + i] = (byte) (~revision >>> 8 * (KvStore.VERSION_BYTES - 1 - i));
      }
      return Bytes.wrap(key);
    }

    private CompletableFuture<Page> done(Optional<KeyRange> rest) {
      return CompletableFuture.completedFuture(new Page(found, rest));
    }
  }

  private static Bytes prefixOf(Bytes key) {
    return key.slice(0, key.length() - KvStore.VERSION_BYTES);
  }

  private static long revisionOf(Bytes key) {
    long inverted = 0;
    for (int i = key.length() - KvStore.VERSION_BYTES; i < key.length(); i++) {
      inverted = inverted << 8 | key.at(i) & 0xFF;
    }
    return ~inverted;
  }
}
