package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.WriteOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** How fast superseded versions go, and what that costs those who write meanwhile. */
final class Compaction {
  private static final int KEYS = 1_000;
  private static final int BATCH = 250;
  private static final int WRITERS = 4;
  private static final int IN_FLIGHT = 16;
  private static final Content VALUE = Content.bytes(new byte[256]);

  private final Rounds rounds;

  Compaction(Rounds rounds) {
    this.rounds = rounds;
  }

  /**
   * Runs on a node.
   *
   * @param name of the pace that the node is configured with
   */
  void run(BenchNode node, Report into, String name) throws Exception {
    MountedSpace foreground = node.space();
    int versions = rounds.quick() ? 100_000 : 1_000_000;
    MountedSpace space = fill(node, versions);
    long newest = space.seen();
    writes(foreground, () -> LockSupport.parkNanos(seconds(3))); // for the compiler
    List<Long> alone = writes(foreground, () -> LockSupport.parkNanos(seconds(8)));
    long begun = System.nanoTime();
    long[] removed = new long[1];
    long[] ended = new long[1];
    List<Long> during =
        writes(
            foreground,
            () -> {
              removed[0] = compact(node, space.mount().space(), newest);
              ended[0] = System.nanoTime();
            });
    into.add(
        "compact/" + name + "/versions",
        removed[0] / ((ended[0] - begun) / 1e9),
        "per s",
        Double.NaN,
        "the named pace counts a row that is looked at and one that is removed");
    for (double percentile : new double[] {0.5, 0.99}) {
      into.add(
          "compact/%s/write-p%.0f".formatted(name, percentile * 100),
          Load.percentileMillis(during, percentile),
          "ms",
          Load.percentileMillis(alone, percentile),
          "beside the same writers without a compaction");
    }
  }

  private static long seconds(int count) {
    return count * 1_000_000_000L;
  }

  private static MountedSpace fill(BenchNode node, int versions) {
    MountedSpace space = node.space();
    List<CompletableFuture<?>> writes = new ArrayList<>();
    for (int from = 0; from < versions; from += BATCH) {
      List<Operation> batch = new ArrayList<>();
      for (int i = 0; i < BATCH; i++) {
        batch.add(new Operation.Put(EntryKey.of("k" + (from + i) % KEYS), VALUE));
      }
      writes.add(space.write(batch, WriteOptions.DEFAULT).toCompletableFuture());
      if (writes.size() == IN_FLIGHT) {
        writes.forEach(CompletableFuture::join);
        writes.clear();
      }
    }
    writes.forEach(CompletableFuture::join);
    return space;
  }

  /** Latencies of writes while something is done. */
  private static List<Long> writes(MountedSpace space, Runnable meanwhile) throws Exception {
    ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      EntryKey key = EntryKey.of("w" + i);
      Thread thread =
          new Thread(
              () -> {
                while (!stop.get()) {
                  long begun = System.nanoTime();
                  await(space.put(key, VALUE));
                  nanos.add(System.nanoTime() - begun);
                }
              },
              "writer-" + i);
      threads.add(thread);
      thread.start();
    }
    meanwhile.run();
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    return List.copyOf(nanos);
  }

  private static long compact(BenchNode node, String space, long floor) {
    String id =
        await(
                node.memory()
                    .keeping()
                    .compact(BenchNode.CALLER, space, OptionalLong.of(floor), false))
            .id();
    while (true) {
      OperationInfo now = await(node.memory().operations().get(BenchNode.CALLER, id));
      if (now.state() != OperationInfo.State.RUNNING) {
        if (now.error().isPresent()) {
          throw new IllegalStateException("compaction failed: " + now.error().get());
        }
        return ((Number) now.result().get("versions")).longValue();
      }
      LockSupport.parkNanos(10_000_000L);
    }
  }
}
