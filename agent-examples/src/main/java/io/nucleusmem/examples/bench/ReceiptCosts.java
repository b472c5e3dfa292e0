package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * What it costs that everything an agent gets is recorded: the same agents with receipts and
 * without.
 */
final class ReceiptCosts {
  private static final int WINDOW = 64;
  private static final int SUBSCRIBERS = 100;

  private sealed interface Msg {}

  private record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  private record Got(Optional<Entry> entry, Throwable failure) implements Msg {}

  private final Rounds rounds;
  private final Map<String, Consumer<Entry>> pulled = new ConcurrentHashMap<>(); // by agent

  ReceiptCosts(Rounds rounds) {
    this.rounds = rounds;
  }

  private Behavior<Msg> create(AgentContext<Msg> ctx) {
    MountedSpace space = ctx.space(ctx.config().get("space"));
    ctx.watch(
        "all", space.mount().space(), WatchRequest.of(Region.MEMORY, "").from(1), Changed::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              Signal signal = changed.signal().what();
              ctx.pipe(space.pull(signal.key(), signal.revision()), Got::new);
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              pulled.get(ctx.id()).accept(got.entry().orElseThrow());
              return Behaviors.same();
            })
        .build();
  }

  void run(Path dir, Report into) throws Exception {
    AgentType<Msg> type = AgentType.of("puller", Msg.class, this::create);
    try (BenchNode node = new BenchNode(dir, "10m", Map.of(), List.of(type))) {
      if (rounds.wants("receipts/signal-max")) {
        double[] max = rounds.compare(() -> max(node, true), () -> max(node, false));
        into.add("receipts/signal-max", max[0], "1/s", max[1], "0.80 of without");
      }
      if (rounds.wants("receipts/1000-p50")) {
        List<Double> on = new ArrayList<>();
        List<Double> off = new ArrayList<>();
        for (int i = 0; i <= rounds.count(); i++) {
          double with = median(node, true);
          double without = median(node, false);
          if (i > 0) { // the first is for the compiler
            on.add(with);
            off.add(without);
          }
        }
        into.add("receipts/1000-p50", Load.median(on), "ms", Load.median(off), "1 ms over without");
      }
      if (rounds.wants("receipts/commits-per-round")) {
        into.add("receipts/commits-per-round", commitsPerRound(node), "commits", Double.NaN, "1");
      }
    }
  }

  private String spawn(BenchNode node, MountedSpace space, boolean receipts, Consumer<Entry> sink) {
    String name = space.mount().space();
    String id = "puller-" + UUID.randomUUID();
    pulled.put(id, sink);
    AgentMount mount = AgentMount.of(name, Access.READ_ONLY);
    await(
        node.agents()
            .spawn(
                BenchNode.CALLER,
                AgentSpec.of("puller", id, receipts ? mount : mount.withoutReceipts())
                    .config(Map.of("space", name))));
    return id;
  }

  private void stop(BenchNode node, String id) {
    await(node.agents().stop(BenchNode.CALLER, id));
  }

  /** Versions that an agent has pulled after their signal, 64 in flight. */
  private double max(BenchNode node, boolean receipts) throws InterruptedException {
    MountedSpace space = node.space();
    Semaphore window = new Semaphore(WINDOW);
    AtomicLong count = new AtomicLong();
    String agent =
        spawn(
            node,
            space,
            receipts,
            entry -> {
              count.incrementAndGet();
              window.release();
            });
    AtomicLong n = new AtomicLong();
    AtomicBoolean warm = new AtomicBoolean();
    long begun = System.nanoTime();
    long from = begun;
    long before = 0;
    while (System.nanoTime() - from < rounds.seconds() * 1e9) {
      if (window.tryAcquire(100, TimeUnit.MILLISECONDS)) {
        Rounds.put(space, n, 256);
      }
      if (!warm.get() && System.nanoTime() - begun > 500_000_000L) {
        warm.set(true);
        from = System.nanoTime();
        before = count.get();
      }
    }
    double rate = (count.get() - before) / ((System.nanoTime() - from) / 1e9);
    stop(node, agent);
    return rate;
  }

  /** A thousand writes a second: from the call until the agent has the value, median, ms. */
  private double median(BenchNode node, boolean receipts) {
    MountedSpace space = node.space();
    ConcurrentLinkedQueue<Long> took = new ConcurrentLinkedQueue<>();
    String agent =
        spawn(
            node,
            space,
            receipts,
            entry ->
                took.add(
                    System.nanoTime()
                        - ByteBuffer.wrap(entry.content().value().shared()).getLong()));
    long next = System.nanoTime();
    int count = (int) (rounds.seconds() * 1_000);
    for (int i = 0; i < count; i++) {
      next += 1_000_000;
      for (long wait; (wait = next - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(wait);
      }
      byte[] value = Rounds.value(256);
      ByteBuffer.wrap(value).putLong(System.nanoTime());
      space.put(EntryKey.of("s/" + i % Rounds.KEYS), Content.bytes(value));
    }
    LockSupport.parkNanos(300_000_000L);
    stop(node, agent);
    return Load.percentileMillis(List.copyOf(took), 0.5);
  }

  /** Commits of receipts for one write that a hundred agents are signalled; each pulls it too. */
  private double commitsPerRound(BenchNode node) throws InterruptedException {
    MountedSpace space = node.space();
    CountDownLatch[] round = {new CountDownLatch(SUBSCRIBERS)};
    List<String> agents = new ArrayList<>();
    for (int i = 0; i < SUBSCRIBERS; i++) {
      agents.add(spawn(node, space, true, entry -> round[0].countDown()));
    }
    int count = rounds.quick() ? 200 : 1_000;
    long before = 0;
    for (int i = 0; i < count; i++) {
      if (i == count / 5) {
        before = commits(node.store());
      }
      round[0] = new CountDownLatch(SUBSCRIBERS);
      await(space.put(EntryKey.of("f"), Content.bytes(Rounds.value(256))));
      round[0].await();
    }
    double perRound = (commits(node.store()) - before) / (count - count / 5.0);
    agents.forEach(agent -> stop(node, agent));
    return perRound;
  }

  /** Rows of the log of receipts: one each. */
  private static long commits(KvStore store) {
    long rows = 0;
    Optional<KeyRange> range = Optional.of(KeyRange.prefix(Bytes.utf8("rL")));
    while (range.isPresent()) {
      Page page = await(store.scan(range.get(), KvStore.SCAN_ROWS_MAX, Direction.ASCENDING));
      rows += page.rows().size();
      range = page.rest();
    }
    return rows;
  }
}
