package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The workloads, as the peers' harness defines them. Each runs beside the bare store, in turns, and
 * tells the medians.
 */
final class Workloads {
  private static final int KEYS = 1_000;
  private static final int READ_KEYS = 10_000;

  private final boolean quick;
  private final int rounds;
  private final double seconds;

  Workloads(boolean quick) {
    this.quick = quick;
    this.rounds = quick ? 3 : 5;
    this.seconds = quick ? 1.5 : 4;
  }

  private interface Rate {
    double measure() throws Exception;
  }

  /** Medians of ours and of the baseline, measured in turns. */
  private double[] compare(Rate ours, Rate baseline) throws Exception {
    List<Double> mine = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      theirs.add(baseline.measure());
      mine.add(ours.measure());
    }
    return new double[] {Load.median(mine), Load.median(theirs)};
  }

  private static byte[] value(int size) {
    byte[] bytes = new byte[size];
    ThreadLocalRandom.current().nextBytes(bytes);
    return bytes;
  }

  // ---- writes ----

  void writes(BenchNode node, Baseline baseline, Report into) throws Exception {
    MountedSpace space = node.space();
    AtomicLong n = new AtomicLong();
    Load.closed(
        16, 0, quick ? 3 : 6, caller -> put(space, n, 256).join()); // compiles the hot paths
    Load.closed(16, 0, 2, caller -> barePut(baseline, n, 256).join());
    int[][] shapes = {{1, 256}, {16, 256}, {64, 256}, {64, 4_096}};
    String[] targets = {"0.80", "-", "0.90", "0.90"};
    for (int i = 0; i < shapes.length; i++) {
      int writers = shapes[i][0];
      int size = shapes[i][1];
      long[] flushes = new long[2];
      double[] medians =
          compare(
              () -> {
                long before = flushes();
                double rate =
                    Load.closed(writers, 0.3, seconds, caller -> put(space, n, size).join());
                flushes[0] += flushes() - before;
                return rate;
              },
              () -> {
                long before = flushes();
                double rate =
                    Load.closed(writers, 0.3, seconds, caller -> barePut(baseline, n, size).join());
                flushes[1] += flushes() - before;
                return rate;
              });
      String name = "write/%d/%d".formatted(writers, size);
      into.add(name, medians[0], "1/s", medians[1], targets[i]);
      double span = rounds * (seconds + 0.3);
      into.add(
          "flushes/" + name, flushes[0] / span, "1/s", flushes[1] / span, "beside the line above");
    }
  }

  private static CompletableFuture<?> put(MountedSpace space, AtomicLong n, int size) {
    EntryKey key = EntryKey.of("k/" + n.incrementAndGet() % KEYS);
    return space.put(key, Content.bytes(value(size))).toCompletableFuture();
  }

  private static CompletableFuture<Long> barePut(Baseline baseline, AtomicLong n, int size) {
    return baseline.put("k/" + n.incrementAndGet() % KEYS, value(size));
  }

  /** Flush requests that the machine's disks have finished, from the kernel. */
  private static long flushes() throws Exception {
    Path stats = Path.of("/proc/diskstats");
    long sum = 0;
    if (Files.exists(stats)) {
      for (String line : Files.readAllLines(stats)) {
        String[] fields = line.strip().split("\\s+");
        sum += fields.length > 18 ? Long.parseLong(fields[18]) : 0;
      }
    }
    return sum;
  }

  // ---- write, signal, pull ----

  void signals(BenchNode node, Baseline baseline, Report into) throws Exception {
    double[] max = compare(() -> signalMax(node.space()), () -> bareSignalMax(baseline));
    into.add("signal/max", max[0], "1/s", max[1], "0.70");
    MountedSpace space = node.space();
    List<Double> over = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      over.add(signalOverCommit(space));
    }
    into.add("signal/1000/p50-over-commit", Load.median(over), "ms", Double.NaN, "0.1 ms");
  }

  /** 64 in flight from put to pulled, four pullers. */
  private double signalMax(MountedSpace space) throws Exception {
    BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    Watch watch =
        await(
            space.watch(
                WatchRequest.of(Region.MEMORY, ""),
                event -> {
                  if (event instanceof WatchEvent.Signals some) {
                    signals.addAll(some.signals());
                  }
                  return CompletableFuture.completedFuture(null);
                }));
    AtomicLong n = new AtomicLong();
    double rate =
        pipeline(
            done -> put(space, n, 256),
            () -> {
              Signal signal = signals.poll(20, TimeUnit.MILLISECONDS);
              return signal != null
                  && await(space.pull(signal.key(), signal.revision())).isPresent();
            });
    watch.close();
    return rate;
  }

  private double bareSignalMax(Baseline baseline) throws Exception {
    BlockingQueue<Object[]> signals = new LinkedBlockingQueue<>();
    AtomicLong n = new AtomicLong();
    return pipeline(
        done -> {
          String key = "k/" + n.incrementAndGet() % KEYS;
          return baseline
              .put(key, value(256))
              .thenApply(version -> signals.add(new Object[] {key, version}));
        },
        () -> {
          Object[] signal = signals.poll(20, TimeUnit.MILLISECONDS);
          return signal != null && baseline.get((String) signal[0], (long) signal[1]) != null;
        });
  }

  private interface Start {
    CompletableFuture<?> write(Object none);
  }

  private interface Pull {
    boolean one() throws Exception;
  }

  private double pipeline(Start start, Pull pull) throws Exception {
    Semaphore window = new Semaphore(64);
    AtomicLong pulled = new AtomicLong();
    boolean[] stop = new boolean[1];
    List<Thread> pullers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread puller =
          new Thread(
              () -> {
                try {
                  while (!stop[0]) {
                    if (pull.one()) {
                      pulled.incrementAndGet();
                      window.release();
                    }
                  }
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      puller.setDaemon(true);
      puller.start();
      pullers.add(puller);
    }
    long warm = System.nanoTime() + 500_000_000L;
    long end = warm + (long) (seconds * 1e9);
    long counted = 0;
    long from = 0;
    while (System.nanoTime() < end) {
      if (from == 0 && System.nanoTime() > warm) {
        from = System.nanoTime();
        counted = pulled.get();
      }
      if (window.tryAcquire(100, TimeUnit.MILLISECONDS)) {
        start.write(null);
      }
    }
    double rate = (pulled.get() - counted) / ((System.nanoTime() - from) / 1e9);
    LockSupport.parkNanos(100_000_000L);
    stop[0] = true;
    for (Thread puller : pullers) {
      puller.join();
    }
    return rate;
  }

  /**
   * A thousand writes a second: how much later than its acknowledgement a value is in the watcher's
   * hands, medians, ms.
   */
  private double signalOverCommit(MountedSpace space) throws Exception {
    ConcurrentLinkedQueue<Long> acked = new ConcurrentLinkedQueue<>();
    ConcurrentLinkedQueue<Long> inHand = new ConcurrentLinkedQueue<>();
    long[] sent = new long[1 << 16];
    Watch watch =
        await(
            space.watch(
                WatchRequest.of(Region.MEMORY, "s/").withValues(),
                event -> {
                  long now = System.nanoTime();
                  if (event instanceof WatchEvent.Signals some) {
                    for (Signal signal : some.signals()) {
                      int id =
                          ByteBuffer.wrap(signal.content().orElseThrow().value().shared()).getInt();
                      inHand.add(now - sent[id]);
                    }
                  }
                  return CompletableFuture.completedFuture(null);
                }));
    long next = System.nanoTime();
    int count = (int) (seconds * 1_000);
    for (int i = 0; i < count; i++) {
      next += 1_000_000;
      for (long wait; (wait = next - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(wait);
      }
      byte[] value = value(256);
      ByteBuffer.wrap(value).putInt(i);
      long begun = System.nanoTime();
      sent[i] = begun;
      space
          .put(EntryKey.of("s/" + i % KEYS), Content.bytes(value))
          .thenRun(() -> acked.add(System.nanoTime() - begun));
    }
    LockSupport.parkNanos(300_000_000L);
    watch.close();
    return Load.percentileMillis(List.copyOf(inHand), 0.5)
        - Load.percentileMillis(List.copyOf(acked), 0.5);
  }

  // ---- fan-out ----

  void fanout(BenchNode node, Baseline baseline, Report into) throws Exception {
    into.add("fanout/100-over-commit", fanout(node.space(), 100), "ms", Double.NaN, "0.3 ms");
    into.add("fanout/1000-over-commit", fanout(node.space(), 1_000), "ms", Double.NaN, "-");
  }

  private double fanout(MountedSpace space, int watchers) throws Exception {
    CountDownLatch[] round = {new CountDownLatch(0)};
    WatchHandler handler =
        event -> {
          if (event instanceof WatchEvent.Signals some
              && some.signals().get(0).content().isPresent()) {
            round[0].countDown();
          }
          return CompletableFuture.completedFuture(null);
        };
    List<Watch> all = new ArrayList<>();
    for (int i = 0; i < watchers; i++) {
      all.add(await(space.watch(WatchRequest.of(Region.MEMORY, "").withValues(), handler)));
    }
    List<Long> over = new ArrayList<>();
    int count = quick ? 500 : 2_000;
    for (int i = 0; i < count; i++) {
      round[0] = new CountDownLatch(watchers);
      CompletableFuture<Long> acked =
          space
              .put(EntryKey.of("f"), Content.bytes(value(256)))
              .thenApply(written -> System.nanoTime())
              .toCompletableFuture();
      round[0].await();
      long last = System.nanoTime();
      if (i >= count / 5) {
        over.add(last - acked.join());
      }
    }
    all.forEach(Watch::close);
    return Load.percentileMillis(over, 0.5);
  }

  // ---- reads ----

  void reads(BenchNode node, Baseline baseline, Report into) throws Exception {
    MountedSpace space = node.space();
    for (int i = 0; i < READ_KEYS; i += 200) {
      List<Operation> batch = new ArrayList<>();
      for (int j = i; j < i + 200; j++) {
        batch.add(new Operation.Put(EntryKey.of("r/" + j), Content.bytes(value(256))));
      }
      await(space.write(batch, WriteOptions.DEFAULT));
    }
    List<CompletableFuture<Long>> bare = new ArrayList<>();
    for (int i = 0; i < READ_KEYS; i++) {
      bare.add(baseline.put("r/" + i, value(256)));
    }
    bare.forEach(CompletableFuture::join);
    double[] get =
        compare(
            () ->
                Load.closed(
                    16,
                    0.3,
                    seconds,
                    caller ->
                        await(space.get(EntryKey.of("r/" + random(READ_KEYS)))).orElseThrow()),
            () ->
                Load.closed(
                    16,
                    0.3,
                    seconds,
                    caller -> require(baseline.get("r/" + random(READ_KEYS), Long.MAX_VALUE))));
    into.add("get/16", get[0], "1/s", get[1], "0.70");

    double[] one = past(space, baseline, "one/", 2_000, 1);
    into.add("get-past/16/1", one[0], "1/s", one[1], "0.70");
    double[] thousand = past(space, baseline, "many/", 20, 1_000);
    into.add("get-past/16/1000", thousand[0], "1/s", one[0], "0.75 of get-past/16/1");
  }

  private double[] past(
      MountedSpace space, Baseline baseline, String prefix, int keys, int versions)
      throws Exception {
    long[][] mine = new long[keys][versions];
    long[][] theirs = new long[keys][versions];
    for (int v = 0; v < versions; v++) {
      for (int from = 0; from < keys; from += 200) {
        List<Operation> batch = new ArrayList<>();
        for (int k = from; k < Math.min(keys, from + 200); k++) {
          batch.add(new Operation.Put(EntryKey.of(prefix + k), Content.bytes(value(256))));
        }
        long revision = await(space.write(batch, WriteOptions.DEFAULT)).revision();
        for (int k = from; k < Math.min(keys, from + 200); k++) {
          mine[k][v] = revision;
        }
      }
      List<CompletableFuture<Long>> bare = new ArrayList<>();
      for (int k = 0; k < keys; k++) {
        bare.add(baseline.put(prefix + k, value(256)));
      }
      for (int k = 0; k < keys; k++) {
        theirs[k][v] = bare.get(k).join();
      }
    }
    return compare(
        () ->
            Load.closed(
                16,
                0.3,
                seconds,
                caller -> {
                  int k = random(keys);
                  ReadAt at = ReadAt.revision(mine[k][random(versions)]);
                  await(space.get(EntryKey.of(prefix + k), at)).orElseThrow();
                }),
        () ->
            Load.closed(
                16,
                0.3,
                seconds,
                caller -> {
                  int k = random(keys);
                  require(baseline.get(prefix + k, theirs[k][random(versions)]));
                }));
  }

  private static int random(int bound) {
    return ThreadLocalRandom.current().nextInt(bound);
  }

  private static void require(Object found) {
    if (found == null) {
      throw new IllegalStateException("a row is missing");
    }
  }

  // ---- scans ----

  void scans(BenchNode node, Baseline baseline, Report into) throws Exception {
    int keys = quick ? 1_000 : READ_KEYS;
    int versions = quick ? 100 : 1_000;
    MountedSpace few = node.space();
    MountedSpace many = node.space();
    fill(few, keys, 1);
    fill(many, keys, versions);
    double one = Load.closed(1, 0.5, seconds, caller -> scan(few, keys));
    double thousand = Load.closed(1, 0.5, seconds, caller -> scan(many, keys));
    into.add("scan/1 (%d keys)".formatted(keys), 1_000 / one, "ms", Double.NaN, "-");
    into.add(
        "scan/%d (%d keys)".formatted(versions, keys),
        1_000 / thousand,
        "ms",
        1_000 / one,
        "at most 5");
  }

  private static void fill(MountedSpace space, int keys, int versions) {
    List<CompletableFuture<?>> writes = new ArrayList<>();
    for (int v = 0; v < versions; v++) {
      for (int from = 0; from < keys; from += 250) {
        List<Operation> batch = new ArrayList<>();
        for (int k = from; k < from + 250; k++) {
          batch.add(
              new Operation.Put(EntryKey.of("s/%06d".formatted(k)), Content.bytes(value(64))));
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

  // ---- contention ----

  void contended(BenchNode node, Baseline baseline, Report into) throws Exception {
    MountedSpace space = node.space();
    AtomicLong n = new AtomicLong();
    double flush = Load.closed(1, 0.5, seconds, caller -> barePut(baseline, n, 256).join());
    double sixteen = Load.closed(16, 0.5, seconds, caller -> put(space, n, 256).join());

    EntryKey counter = EntryKey.of("counter");
    await(space.put(counter, Content.text("0")));
    AtomicLong tries = new AtomicLong();
    AtomicLong successes = new AtomicLong();
    double cas =
        Load.closed(16, 0.5, seconds, caller -> increment(space, counter, tries, successes));
    into.add("cas/16", cas, "1/s", flush, "0.80 of one success per flush");
    into.add(
        "cas/16/tries-per-success",
        (double) tries.get() / successes.get(),
        "",
        Double.NaN,
        "at most 16");
    long lost = successes.get() - Long.parseLong(await(space.get(counter)).orElseThrow().text());
    into.add("cas/16/lost", lost, "", Double.NaN, "0");

    double add = Load.closed(16, 0.5, seconds, caller -> await(space.add(EntryKey.of("sum"), 1)));
    into.add("add/16", add, "1/s", sixteen, "0.70 of write/16/256");
    double append =
        Load.closed(
            16,
            0.5,
            seconds,
            caller -> await(space.append(EntryKey.of("log/"), Content.bytes(value(256)))));
    into.add("append/16", append, "1/s", sixteen, "0.70");
    claims(node.space(), sixteen, into);
  }

  private static void increment(
      MountedSpace space, EntryKey key, AtomicLong tries, AtomicLong successes) {
    Entry now = await(space.get(key)).orElseThrow();
    while (true) {
      tries.incrementAndGet();
      try {
        Content next = Content.text(Long.toString(Long.parseLong(now.text()) + 1));
        await(
            space.write(
                new Operation.Put(
                    key, next, OptionalLong.of(now.revision()), Operation.ANY, false)));
        successes.incrementAndGet();
        return;
      } catch (java.util.concurrent.CompletionException e) {
        if (!(e.getCause() instanceof RevisionMismatchException refused)) {
          throw e;
        }
        now = refused.current().orElseThrow(); // the refusal tells what is there
      }
    }
  }

  private void claims(MountedSpace space, double sixteen, Report into) throws Exception {
    int tasks = quick ? 20_000 : 60_000;
    for (int from = 0; from < tasks; from += 250) {
      List<Operation> batch = new ArrayList<>();
      for (int k = from; k < from + 250; k++) {
        batch.add(new Operation.Put(EntryKey.task("q/%06d".formatted(k)), Content.text("task")));
      }
      await(space.write(batch, WriteOptions.DEFAULT));
    }
    ConcurrentLinkedQueue<String> claimed = new ConcurrentLinkedQueue<>();
    await(space.claim(EntryKey.task("q/"), "first", Duration.ofMinutes(10), 1)); // fills the queue
    double rate =
        Load.closed(
            16,
            0,
            Math.min(seconds, tasks / 25_000.0),
            caller -> {
              for (Claim claim :
                  await(
                      space.claim(EntryKey.task("q/"), "w" + caller, Duration.ofMinutes(10), 1))) {
                claimed.add(claim.entry().key().name());
              }
            });
    long twice = claimed.size() - claimed.stream().distinct().count();
    into.add("claim/16", rate, "1/s", sixteen, "0.70 of write/16/256");
    into.add("claim/16/twice", twice, "", Double.NaN, "0");
  }

  // ---- memory and activation ----

  void heap(BenchNode node, Report into) {
    int count = quick ? 2_000 : 50_000;
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
      if (made.size() == 500) {
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

  void activation(BenchNode node, Report into) {
    int large = quick ? 100_000 : 1_000_000;
    double small = activation(node, 100);
    into.add(
        "activate/%d".formatted(large),
        activation(node, large),
        "ms",
        small,
        "5 ms, whatever the size");
  }

  /** Time of the first write to a space that has left memory; the median of several. */
  private double activation(BenchNode node, int entries) {
    MountedSpace space = node.space();
    for (int from = 0; from < entries; from += 250) {
      List<Operation> batch = new ArrayList<>();
      for (int k = from; k < Math.min(entries, from + 250); k++) {
        batch.add(new Operation.Put(EntryKey.of("a/" + k), Content.bytes(value(64))));
      }
      await(space.write(batch, WriteOptions.DEFAULT));
    }
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      while (node.owners() > 1) { // the space of agents stays: the node watches it
        LockSupport.parkNanos(50_000_000L);
        if (node.owners() == 0) {
          break;
        }
      }
      LockSupport.parkNanos(1_500_000_000L);
      long begun = System.nanoTime();
      await(space.put(EntryKey.of("a/0"), Content.bytes(value(64))));
      times.add(System.nanoTime() - begun);
    }
    return Load.percentileMillis(times, 0.5);
  }
}
