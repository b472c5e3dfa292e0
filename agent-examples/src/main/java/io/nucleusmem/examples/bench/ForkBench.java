package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ForkRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.SpaceAt;
import io.nucleusmem.memspace.WriteOptions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Forks: their time should not depend on what is forked. Cuts through many spaces. */
final class ForkBench {
  private static final int FORKS = 20; // of each size; the median counts
  private static final int BATCH = 250;
  static final int KEYS = 1_000;
  private static final int CUT_SPACES = 1_000;
  private static final int CUTS = 5;

  private final Rounds rounds;

  ForkBench(Rounds rounds) {
    this.rounds = rounds;
  }

  void run(BenchNode node, Report into) throws Exception {
    forks(node, into);
    if (rounds.wants("fork-read/")) {
      reads(node, into);
    }
    if (rounds.wants("cut/1000")) {
      cut(node, into);
    }
  }

  // ---- making forks ----

  private void forks(BenchNode node, Report into) {
    double least = Double.NaN;
    for (int versions : new int[] {1_000, 100_000, 1_000_000}) {
      String name = "fork/" + versions;
      if (!rounds.wants(name) || rounds.quick() && versions > 100_000) {
        continue;
      }
      MountedSpace space = node.space();
      fill(space, versions);
      double[] millis = new double[FORKS];
      for (int i = 0; i < FORKS; i++) {
        long from = System.nanoTime();
        fork(node, space.mount().space(), ReadAt.revision(1));
        millis[i] = (System.nanoTime() - from) / 1e6;
      }
      Arrays.sort(millis);
      double median = millis[FORKS / 2];
      into.add(name, median, "ms", least, "1.5 of fork/1000");
      least = Double.isNaN(least) ? median : least;
    }
  }

  static void fill(MountedSpace space, int versions) {
    List<CompletableFuture<?>> writes = new ArrayList<>();
    for (int from = 0; from < versions; from += BATCH) {
      List<Operation> batch = new ArrayList<>();
      for (int i = from; i < from + BATCH; i++) {
        EntryKey key = EntryKey.of("k/%06d".formatted(i % KEYS));
        batch.add(new Operation.Put(key, Content.bytes(Rounds.value(64))));
      }
      writes.add(space.write(batch, WriteOptions.DEFAULT).toCompletableFuture());
      if (writes.size() == 16) {
        writes.forEach(CompletableFuture::join);
        writes.clear();
      }
    }
    writes.forEach(CompletableFuture::join);
  }

  private static MountedSpace fork(BenchNode node, String space, ReadAt at) {
    ForkRequest request = new ForkRequest(space, "fork-" + UUID.randomUUID(), at);
    CreatedSpace made =
        await(node.spaces().forks().fork(BenchNode.CALLER, request, WriteOptions.DEFAULT));
    return await(node.spaces().open(BenchNode.CALLER, made.mount().id()));
  }

  // ---- reading through them ----

  private void reads(BenchNode node, Report into) throws Exception {
    MountedSpace space = node.space();
    fill(space, KEYS);
    MountedSpace top = space;
    for (int depth = 1; depth <= 8; depth++) {
      top = fork(node, top.mount().space(), ReadAt.LATEST);
      if (depth == 1 || depth == 8) {
        MountedSpace fork = top;
        double[] perSecond = rounds.compare(() -> gets(fork), () -> gets(space));
        into.add("fork-read/" + depth, perSecond[0], "1/s", perSecond[1], "-");
      }
    }
  }

  private double gets(MountedSpace space) throws Exception {
    return rounds.closed(
        1,
        caller ->
            Rounds.require(await(space.get(EntryKey.of("k/%06d".formatted(Rounds.random(KEYS)))))));
  }

  // ---- cuts ----

  private void cut(BenchNode node, Report into) {
    for (int i = 0; i < CUT_SPACES; i++) {
      await(
          node.spaces()
              .create(BenchNode.CALLER, CreateSpace.shared("cut-" + i), WriteOptions.DEFAULT));
    }
    double[] millis = new double[CUTS];
    for (int i = 0; i < CUTS; i++) {
      Instant at = Instant.now().minusMillis(1);
      long from = System.nanoTime();
      Optional<String> next = Optional.empty();
      do {
        Paged<SpaceAt> page = await(node.spaces().cuts().spaces(BenchNode.CALLER, at, 1_000, next));
        next = page.next();
      } while (next.isPresent());
      millis[i] = (System.nanoTime() - from) / 1e6;
    }
    into.add("cut/1000/first", millis[0], "ms", Double.NaN, "-"); // closes it in every space
    Arrays.sort(millis);
    into.add("cut/1000", millis[CUTS / 2], "ms", Double.NaN, "-");
  }
}
