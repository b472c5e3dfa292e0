package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.WriteOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Point reads, now and in the past, and scans: old versions should cost nothing. */
final class Reads {
  private static final int READERS = 16;
  private static final int KEYS = 10_000;
  private static final int MANY_VERSIONS = 1_000;
  private static final int KEYS_WITH_MANY = 20;
  private static final int KEYS_WITH_ONE = 2_000;
  private static final int BATCH = 250;

  private final Rounds rounds;

  Reads(Rounds rounds) {
    this.rounds = rounds;
  }

  /** Keys with their versions, on both sides. */
  private record Written(String[] keys, long[][] ours, long[][] bare) {
    Written(String prefix, int keys, int versions) {
      this(new String[keys], new long[keys][versions], new long[keys][versions]);
      Arrays.setAll(this.keys, number -> prefix + "%06d".formatted(number));
    }

    String key(int number) {
      return keys[number];
    }
  }

  void run(BenchNode node, Baseline baseline, Report into) throws Exception {
    MountedSpace space = node.space();
    if (rounds.wants("get/16")) {
      Written keys = write(space, baseline, "r/", KEYS, 1);
      double[] get =
          rounds.compare(
              () ->
                  rounds.closed(
                      READERS,
                      caller -> Rounds.require(await(space.get(EntryKey.of(anyOf(keys)))))),
              () ->
                  rounds.closed(
                      READERS,
                      caller -> Rounds.require(baseline.get(anyOf(keys), Long.MAX_VALUE))));
      into.add("get/16", get[0], "1/s", get[1], "0.70");
    }
    if (rounds.wantsAny("get-past/16/1", "get-past/16/1000")) {
      Written one = write(space, baseline, "one/", KEYS_WITH_ONE, 1);
      Written many = write(space, baseline, "many/", KEYS_WITH_MANY, MANY_VERSIONS);
      double[] past = rounds.compare(() -> past(space, one), () -> barePast(baseline, one));
      into.add("get-past/16/1", past[0], "1/s", past[1], "0.70");
      double[] depth = rounds.compare(() -> past(space, many), () -> past(space, one));
      into.add("get-past/16/1000", depth[0], "1/s", depth[1], "0.75 of get-past/16/1");
    }
    if (rounds.wantsAny("scan/1", "scan/1000")) {
      scans(node, into);
    }
  }

  private static String anyOf(Written keys) {
    return keys.key(Rounds.random(keys.ours().length));
  }

  private double past(MountedSpace space, Written keys) throws Exception {
    return rounds.closed(
        READERS,
        caller -> {
          int k = Rounds.random(keys.ours().length);
          long[] revisions = keys.ours()[k];
          ReadAt at = ReadAt.revision(revisions[Rounds.random(revisions.length)]);
          Rounds.require(await(space.get(EntryKey.of(keys.key(k)), at)));
        });
  }

  private double barePast(Baseline baseline, Written keys) throws Exception {
    return rounds.closed(
        READERS,
        caller -> {
          int k = Rounds.random(keys.bare().length);
          long[] versions = keys.bare()[k];
          Rounds.require(baseline.get(keys.key(k), versions[Rounds.random(versions.length)]));
        });
  }

  private static Written write(
      MountedSpace space, Baseline baseline, String prefix, int keys, int versions) {
    Written written = new Written(prefix, keys, versions);
    for (int v = 0; v < versions; v++) {
      for (int from = 0; from < keys; from += BATCH) {
        int to = Math.min(keys, from + BATCH);
        List<Operation> batch = new ArrayList<>();
        List<CompletableFuture<Long>> bare = new ArrayList<>();
        for (int k = from; k < to; k++) {
          byte[] value = Rounds.value(256);
          batch.add(new Operation.Put(EntryKey.of(written.key(k)), Content.bytes(value)));
          bare.add(baseline.put(written.key(k), value));
        }
        long revision = await(space.write(batch, WriteOptions.DEFAULT)).revision();
        for (int k = from; k < to; k++) {
          written.ours()[k][v] = revision;
          written.bare()[k][v] = bare.get(k - from).join();
        }
      }
    }
    return written;
  }

  // ---- scans ----

  /** All keys of a space, with one version each and with a thousand. */
  private void scans(BenchNode node, Report into) throws Exception {
    int keys = rounds.quick() ? KEYS / 10 : KEYS;
    MountedSpace few = node.space();
    MountedSpace many = node.space();
    fill(few, keys, 1);
    fill(many, keys, MANY_VERSIONS);
    double[] perSecond =
        rounds.compare(
            () -> rounds.closed(1, caller -> scan(many, keys)),
            () -> rounds.closed(1, caller -> scan(few, keys)));
    String unit = "ms/%dk".formatted(keys / 1_000);
    into.add("scan/1", 1_000 / perSecond[1], unit, Double.NaN, "-");
    into.add("scan/1000", 1_000 / perSecond[0], unit, 1_000 / perSecond[1], "at most 5");
  }

  private static void fill(MountedSpace space, int keys, int versions) {
    List<CompletableFuture<?>> writes = new ArrayList<>();
    for (int v = 0; v < versions; v++) {
      for (int from = 0; from < keys; from += BATCH) {
        List<Operation> batch = new ArrayList<>();
        for (int k = from; k < from + BATCH; k++) {
          EntryKey key = EntryKey.of("s/%06d".formatted(k));
          batch.add(new Operation.Put(key, Content.bytes(Rounds.value(64))));
        }
        writes.add(space.write(batch, WriteOptions.DEFAULT).toCompletableFuture());
      }
      if (writes.size() > 100) {
        writes.forEach(CompletableFuture::join);
        writes.clear();
      }
    }
    writes.forEach(CompletableFuture::join);
  }

  private static void scan(MountedSpace space, int keys) {
    ScanRequest request = ScanRequest.of(Region.MEMORY, "s/").limit(1_000);
    int seen = 0;
    for (Optional<String> next = Optional.of(""); next.isPresent(); ) {
      var page = await(space.scan(next.get().isEmpty() ? request : request.after(next.get())));
      seen += page.items().size();
      next = page.next();
    }
    if (seen != keys) {
      throw new IllegalStateException("the scan saw [%d] of [%d] keys".formatted(seen, keys));
    }
  }
}
