package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WatchRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Write, signal, pull: how many, and how much later than its commit a value is in hand. */
final class Signals {
  private final Rounds rounds;

  Signals(Rounds rounds) {
    this.rounds = rounds;
  }

  void run(BenchNode node, Baseline baseline, Report into) throws Exception {
    if (rounds.wants("signal/max")) {
      double[] max = rounds.compare(() -> signalMax(node.space()), () -> bareSignalMax(baseline));
      into.add("signal/max", max[0], "1/s", max[1], "0.70");
    }
    if (rounds.wants("signal/1000/p50-over-commit")) {
      MountedSpace space = node.space();
      List<Double> over = new ArrayList<>();
      for (int i = 0; i < rounds.count(); i++) {
        over.add(signalOverCommit(space));
      }
      into.add("signal/1000/p50-over-commit", Load.median(over), "ms", Double.NaN, "0.1 ms");
    }
    for (int watchers : new int[] {100, 1_000}) {
      String name = "fanout/%d-over-commit".formatted(watchers);
      if (rounds.wants(name)) {
        String target = watchers == 100 ? "0.3 ms" : "-";
        into.add(name, fanout(node.space(), watchers), "ms", Double.NaN, target);
      }
    }
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
            () -> Rounds.put(space, n, 256),
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
        () -> {
          String key = "k/" + n.incrementAndGet() % Rounds.KEYS;
          baseline
              .put(key, Rounds.value(256))
              .thenApply(version -> signals.add(new Object[] {key, version}));
        },
        () -> {
          Object[] signal = signals.poll(20, TimeUnit.MILLISECONDS);
          return signal != null && baseline.get((String) signal[0], (long) signal[1]) != null;
        });
  }

  private interface Start {
    void write();
  }

  private interface Pull {
    boolean one() throws Exception;
  }

  private double pipeline(Start start, Pull pull) throws Exception {
    Semaphore window = new Semaphore(64);
    AtomicLong pulled = new AtomicLong();
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> pullers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread puller =
          new Thread(
              () -> {
                try {
                  while (!stop.get()) {
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
    long end = warm + (long) (rounds.seconds() * 1e9);
    long counted = 0;
    long from = 0;
    while (System.nanoTime() < end) {
      if (from == 0 && System.nanoTime() > warm) {
        from = System.nanoTime();
        counted = pulled.get();
      }
      if (window.tryAcquire(100, TimeUnit.MILLISECONDS)) {
        start.write();
      }
    }
    double rate = (pulled.get() - counted) / ((System.nanoTime() - from) / 1e9);
    LockSupport.parkNanos(100_000_000L);
    stop.set(true);
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
    int count = (int) (rounds.seconds() * 1_000);
    for (int i = 0; i < count; i++) {
      next += 1_000_000;
      for (long wait; (wait = next - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(wait);
      }
      byte[] value = Rounds.value(256);
      ByteBuffer.wrap(value).putInt(i);
      long begun = System.nanoTime();
      sent[i] = begun;
      space
          .put(EntryKey.of("s/" + i % Rounds.KEYS), Content.bytes(value))
          .thenRun(() -> acked.add(System.nanoTime() - begun));
    }
    LockSupport.parkNanos(300_000_000L);
    watch.close();
    return Load.percentileMillis(List.copyOf(inHand), 0.5)
        - Load.percentileMillis(List.copyOf(acked), 0.5);
  }

  /** From the acknowledgement of a write until the last of its watchers has the value; median. */
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
    int count = rounds.quick() ? 1_000 : 4_000;
    for (int i = 0; i < count; i++) {
      round[0] = new CountDownLatch(watchers);
      CompletableFuture<Long> acked =
          space
              .put(EntryKey.of("f"), Content.bytes(Rounds.value(256)))
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
}
