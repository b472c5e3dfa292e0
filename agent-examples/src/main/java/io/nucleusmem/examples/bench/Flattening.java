package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ForkRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.WriteOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** How fast a fork gets copies of what it inherits, and what that costs those who read it. */
final class Flattening {
  private static final int READERS = 4;
  private static final long ALONE_NANOS = 5_000_000_000L;

  private final Rounds rounds;

  Flattening(Rounds rounds) {
    this.rounds = rounds;
  }

  /**
   * Runs on a node.
   *
   * @param name of the pace that the node is configured with
   */
  void run(BenchNode node, Report into, String name) throws Exception {
    int versions = rounds.quick() ? 100_000 : 1_000_000;
    MountedSpace base = node.space();
    ForkBench.fill(base, versions);
    String named = "flat-" + UUID.randomUUID();
    CreatedSpace made =
        await(
            node.spaces()
                .forks()
                .fork(
                    BenchNode.CALLER,
                    new ForkRequest(base.mount().space(), named, ReadAt.LATEST),
                    WriteOptions.DEFAULT));
    MountedSpace fork = await(node.spaces().open(BenchNode.CALLER, made.mount().id()));
    reads(fork, () -> LockSupport.parkNanos(ALONE_NANOS)); // for the compiler
    List<Long> before = reads(fork, () -> LockSupport.parkNanos(ALONE_NANOS));
    double[] seconds = new double[1];
    List<Long> during =
        reads(
            fork,
            () -> {
              long begun = System.nanoTime();
              flatten(node, named);
              seconds[0] = (System.nanoTime() - begun) / 1e9;
            });
    into.add("fork/flatten/" + name, versions / seconds[0], "per s", Double.NaN, "versions copied");
    for (double percentile : new double[] {0.5, 0.99}) {
      into.add(
          "fork/flatten/%s/read-p%.0f".formatted(name, percentile * 100),
          Load.percentileMillis(during, percentile),
          "ms",
          Load.percentileMillis(before, percentile),
          "reads of the fork, beside those before");
    }
  }

  /** Latencies of reads of any key now while something is done. */
  private static List<Long> reads(MountedSpace space, Runnable meanwhile) throws Exception {
    ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < READERS; i++) {
      Thread thread =
          new Thread(
              () -> {
                while (!stop.get()) {
                  EntryKey key = EntryKey.of("k/%06d".formatted(Rounds.random(ForkBench.KEYS)));
                  long begun = System.nanoTime();
                  Rounds.require(await(space.get(key)));
                  nanos.add(System.nanoTime() - begun);
                  LockSupport.parkNanos(1_000_000L); // latency is asked for, not throughput
                }
              },
              "reader-" + i);
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

  private static void flatten(BenchNode node, String fork) {
    String id = await(node.memory().keeping().flatten(BenchNode.CALLER, fork)).id();
    while (true) {
      OperationInfo now = await(node.memory().operations().get(BenchNode.CALLER, id));
      if (now.state() != OperationInfo.State.RUNNING) {
        if (now.error().isPresent()) {
          throw new IllegalStateException("flattening failed: " + now.error().get());
        }
        return;
      }
      LockSupport.parkNanos(10_000_000L);
    }
  }
}
