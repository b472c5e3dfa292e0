package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.WriteOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** What a space costs that nobody uses, and one that wakes up. */
final class Spaces {
  private static final int BATCH = 250;
  private static final int CREATING_MAX = 500;

  private final Rounds rounds;

  Spaces(Rounds rounds) {
    this.rounds = rounds;
  }

  /** Heap of an active space that nobody watches; on average. */
  void heap(BenchNode node, Report into) {
    int count = rounds.quick() ? 20_000 : 1_000_000;
    node.space();
    long before = usedHeap();
    int owners = node.owners();
    List<CompletableFuture<?>> made = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      made.add(
          node.spaces()
              .create(
                  BenchNode.CALLER,
                  CreateSpace.shared("h-%d-%d".formatted(new Random().nextLong(), i)),
                  WriteOptions.DEFAULT)
              .thenCompose(space -> node.spaces().describe(BenchNode.CALLER, space.space().name()))
              .toCompletableFuture());
      if (made.size() == CREATING_MAX) {
        made.forEach(CompletableFuture::join);
        made.clear();
      }
    }
    made.forEach(CompletableFuture::join);
    made.clear();
    int active = node.owners() - owners;
    into.add(
        "idle-space/heap",
        (usedHeap() - before) / (double) active,
        "bytes",
        Double.NaN,
        "at most 2048");
  }

  private static long usedHeap() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      System.gc();
      LockSupport.parkNanos(200_000_000L);
    }
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /** The first write to a large space, beside that to a small one. */
  void activation(BenchNode node, Report into) {
    double small = activation(node, 100);
    into.add(
        "activate/1000000", activation(node, 1_000_000), "ms", small, "5 ms, whatever the size");
  }

  /** Time of the first write to a space that has left memory; the median of several. */
  private double activation(BenchNode node, int entries) {
    MountedSpace space = node.space();
    List<CompletableFuture<?>> writes = new ArrayList<>();
    for (int from = 0; from < entries; from += BATCH) {
      List<Operation> batch = new ArrayList<>();
      for (int k = from; k < Math.min(entries, from + BATCH); k++) {
        batch.add(new Operation.Put(EntryKey.of("a/" + k), Content.bytes(Rounds.value(64))));
      }
      writes.add(space.write(batch, WriteOptions.DEFAULT).toCompletableFuture());
      if (writes.size() == 100) {
        writes.forEach(CompletableFuture::join);
        writes.clear();
      }
    }
    writes.forEach(CompletableFuture::join);
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      while (node.owners() > 1) { // the space of agents stays: the node watches it
        LockSupport.parkNanos(50_000_000L);
      }
      long begun = System.nanoTime();
      await(space.put(EntryKey.of("a/0"), Content.bytes(Rounds.value(64))));
      times.add(System.nanoTime() - begun);
    }
    return Load.percentileMillis(times, 0.5);
  }
}
