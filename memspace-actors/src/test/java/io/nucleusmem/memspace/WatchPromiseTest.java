package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** G5: signals in order, each once per cursor, none missing, batches together. */
class WatchPromiseTest extends SpaceFixture {
  static final WatchRequest EVERYTHING =
      new WatchRequest(Optional.empty(), "", OptionalLong.empty(), false);

  /** A ring of a few commits: whoever is a little late reads the log. */
  @BeforeAll
  static void smallRing() {
    node.close();
    node = TestNode.start(store, "nucleusmem.memspace.watch-ring-bytes = 2 KiB");
  }

  Written put(String key) {
    return await(space.put(EntryKey.of(key), Content.text(key)));
  }

  static List<Long> revisions(List<Signal> signals) {
    return signals.stream().map(Signal::revision).toList();
  }

  static List<Long> range(long first, long last) {
    return LongStream.rangeClosed(first, last).boxed().toList();
  }

  static void awaitState(Watch watch, Watch.State state) {
    long until = System.nanoTime() + Duration.ofSeconds(120).toNanos();
    while (watch.state() != state) {
      assertThat(System.nanoTime()).as("state is %s", watch.state()).isLessThan(until);
      Thread.onSpinWait();
    }
  }

  @Test
  void g5AtomicBatchIsSignalledTogether() {
    WatchRecorder live = new WatchRecorder();
    await(space.watch(EVERYTHING, live));
    List<Operation> batch = new ArrayList<>();
    for (int i = 0; i < 200; i++) { // an event ends inside of none
      batch.add(new Operation.Put(EntryKey.of("b/" + i), Content.text("v")));
    }
    for (int i = 0; i < 10; i++) {
      await(space.write(batch, WriteOptions.DEFAULT));
    }
    WatchRecorder late = new WatchRecorder();
    await(space.watch(EVERYTHING.from(1), late));
    for (WatchRecorder each : List.of(live, late)) {
      assertThat(each.signals(2_000)).extracting(Signal::revision).isSorted();
      for (List<Signal> event : each.batches()) {
        assertThat(event.size() % 200).as("no batch is cut").isZero();
      }
    }
  }

  @Test
  void g5DeletionIsSignalledAsOne() {
    put("k");
    await(space.delete(EntryKey.of("k")));
    WatchRecorder watch = new WatchRecorder();
    await(space.watch(EVERYTHING.from(1).withValues(), watch));
    assertThat(watch.signals(2)).extracting(Signal::deleted).containsExactly(false, true);
    assertThat(watch.signals(2).get(1).content()).isEmpty();
    assertThat(await(space.pull(EntryKey.of("k"), 2)).orElseThrow().deleted()).isTrue();
  }

  @Test
  void g5WatcherGoesOnFromItsCursorAfterARestart() {
    WatchRecorder before = new WatchRecorder();
    Watch watch = await(space.watch(EVERYTHING.from(1), before));
    for (int i = 0; i < 30; i++) {
      put("k" + i);
    }
    before.signals(30);
    long cursor = awaitCursor(watch, 30);
    watch.close();
    assertThat(watch.state()).isEqualTo(Watch.State.ENDED);
    put("unwatched");
    restart("nucleusmem.memspace.watch-ring-bytes = 2 KiB");
    put("after");
    WatchRecorder after = new WatchRecorder();
    await(space.watch(EVERYTHING.from(cursor + 1), after));
    put("live");
    assertThat(revisions(after.signals(3))).isEqualTo(range(31, 33));
  }

  long awaitCursor(Watch watch, long revision) {
    long until = System.nanoTime() + Duration.ofSeconds(120).toNanos();
    while (watch.cursor() < revision) {
      assertThat(System.nanoTime()).as("cursor is %d", watch.cursor()).isLessThan(until);
      Thread.onSpinWait();
    }
    return watch.cursor();
  }

  /** An owner that was on its way answers both of them when it is there. */
  @Test
  void g5WatchThatWasAskedForTwiceHearsEverySignalOnce() {
    MountedSpaceClient mounted = (MountedSpaceClient) space;
    MemSpaceNode its = mounted.client().node();
    LedgerId id = mounted.grant().space();
    Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    AtomicBoolean away = new AtomicBoolean(true);
    WatchSource owner = new OwnerSource(id, its.reader(id), its.spaces());
    WatchSource late =
        new WatchSource() {
          @Override
          public LedgerId id() {
            return owner.id();
          }

          @Override
          public ForkReader reader() {
            return owner.reader();
          }

          @Override
          public void attach(CommitListener listener, Promise<Long> reply) {
            Runnable answer = () -> owner.attach(listener, reply);
            if (away.get()) {
              held.add(answer);
            } else {
              answer.run();
            }
          }

          @Override
          public void detach(CommitListener listener) {
            owner.detach(listener);
          }
        };
    WatchRecorder watch = new WatchRecorder();
    CompletionStage<Watch> opened =
        mounted
            .client()
            .hub()
            .open(late, mounted, change -> true, OptionalLong.empty(), false, watch);
    long until = System.nanoTime() + Duration.ofSeconds(120).toNanos();
    while (held.size() < 3) {
      assertThat(System.nanoTime()).isLessThan(until);
      mounted.client().calls().again();
    }
    away.set(false);
    held.forEach(Runnable::run);
    await(opened);
    put("a");
    long last = put("b").revision();
    watch.signalsUpTo(last);
    put("c");
    assertThat(revisions(watch.signalsUpTo(last + 1))).isEqualTo(range(1, last + 1));
  }

  @Test
  void g5ClosedWatchHearsNothingMore() {
    WatchRecorder closed = new WatchRecorder();
    WatchRecorder open = new WatchRecorder();
    Watch watch = await(space.watch(EVERYTHING, closed));
    await(space.watch(EVERYTHING, open));
    watch.close();
    long last = put("k").revision();
    open.signalsUpTo(last);
    assertThat(closed.signals(0)).isEmpty();
  }

  @Test
  void g5CursorBehindTheFloorIsToldWhereToBeginAgain() {
    for (int i = 0; i < 50; i++) {
      put("k");
    }
    pass(Duration.ofHours(1)); // the log stays for the time of the request window
    put("k");
    await(NucleusMem.get(node.system()).system().compact(name, 40));
    WatchRecorder behind = new WatchRecorder();
    Watch watch = await(space.watch(EVERYTHING.from(39), behind));
    long oldest = ((WatchEvent.Compacted) behind.end()).oldest();
    assertThat(oldest).isEqualTo(40);
    assertThat(behind.signals(0)).isEmpty();
    awaitState(watch, Watch.State.ENDED);
    WatchRecorder again = new WatchRecorder();
    await(space.watch(EVERYTHING.from(oldest), again));
    long last = put("k").revision();
    assertThat(again.signalsUpTo(last))
        .extracting(Signal::revision)
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(again.signals(0)).extracting(Signal::revision).startsWith(40L, 41L).endsWith(last);
  }

  @Test
  void g5SlowWatcherFallsBehindLosesNothingAndCatchesUp() {
    WatchRecorder slow = new WatchRecorder();
    CompletableFuture<Void> handled = new CompletableFuture<>();
    Watch watch = await(space.watch(EVERYTHING, slow));
    put("first");
    slow.signals(1);
    awaitState(watch, Watch.State.SYNCED);
    slow.handleUntil(handled);
    put("held");
    slow.signals(2);
    List<CompletionStage<Written>> writes = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      writes.add(space.put(EntryKey.of("k" + i % 7), Content.text("value " + i)));
    }
    writes.forEach(TestNode::await); // one that was tried again would be behind the last
    long last = put("last").revision();
    assertThat(slow.signals(0)).as("one event at a time").hasSize(2);
    assertThat(watch.cursor()).isEqualTo(1);
    CompletableFuture<Void> next = new CompletableFuture<>();
    slow.handleUntil(next);
    handled.complete(null);
    slow.signals(3);
    assertThat(watch.state()).isEqualTo(Watch.State.BEHIND);
    slow.handleUntil(CompletableFuture.completedFuture(null));
    next.complete(null);
    assertThat(revisions(slow.signalsUpTo(last))).isEqualTo(range(1, last));
    awaitState(watch, Watch.State.SYNCED);
  }

  @Test
  void g5HandlerThatFailsEndsItsWatchAndNoOther() {
    WatchRecorder failing = new WatchRecorder();
    WatchRecorder other = new WatchRecorder();
    Watch watch = await(space.watch(EVERYTHING, failing));
    await(space.watch(EVERYTHING, other));
    failing.handleUntil(CompletableFuture.failedFuture(new IllegalStateException("on purpose")));
    put("k");
    assertThat(failing.end()).isInstanceOf(WatchEvent.Ended.class);
    assertThat(watch.state()).isEqualTo(Watch.State.ENDED);
    assertThat(watch.cursor()).as("what failed was not handled").isZero();
    long last = put("k").revision();
    assertThat(revisions(other.signalsUpTo(last))).containsExactly(1L, 2L);
  }

  @Test
  void g5SmallValuesTravelWithTheirSignalAndAreWhatAPullGives() {
    WatchRecorder live = new WatchRecorder();
    await(space.watch(EVERYTHING.withValues(), live));
    String small = "s".repeat(WatchRequest.INLINE_BYTES_MAX);
    await(space.put(EntryKey.of("k"), Content.text(small)));
    await(space.put(EntryKey.of("k"), Content.text(small + "s")));
    WatchRecorder late = new WatchRecorder();
    await(space.watch(EVERYTHING.from(1).withValues(), late));
    for (WatchRecorder each : List.of(live, late)) {
      List<Signal> signals = each.signals(2);
      assertThat(signals.get(0).content())
          .isEqualTo(await(space.pull(EntryKey.of("k"), 1)).map(Entry::content));
      assertThat(signals.get(1).content()).as("too large to travel").isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void g5WatchersThatJoinAnywhereWhileManyWriteSeeAllBehindTheirCursorOnceAndInOrder(long seed) {
    Random random = new Random(seed);
    record Joined(long from, String prefix, WatchRecorder watch) {}
    List<Joined> joined = new ArrayList<>();
    List<CompletableFuture<Written>> writes = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      if (random.nextInt(20) == 0) {
        long from = 1 + random.nextInt(i + 20); // some in the future
        String prefix = random.nextBoolean() ? "" : "a/";
        WatchRecorder watch = new WatchRecorder();
        await(space.watch(WatchRequest.of(Region.MEMORY, prefix).from(from), watch));
        joined.add(new Joined(from, prefix, watch));
      }
      List<Operation> batch = new ArrayList<>();
      for (int k = random.nextInt(4); k >= 0; k--) {
        String key = (random.nextBoolean() ? "a/" : "b/") + k;
        batch.add(new Operation.Put(EntryKey.of(key), Content.text(seed + "/" + i)));
      }
      writes.add(space.write(batch, WriteOptions.DEFAULT).toCompletableFuture());
      if (random.nextInt(10) == 0) {
        await(writes.get(i));
      }
    }
    writes.forEach(TestNode::await);
    long last = await(space.put(EntryKey.of("a/end"), Content.text("end"))).revision();
    WatchRecorder all = new WatchRecorder();
    await(space.watch(WatchRequest.of(Region.MEMORY, "").from(1), all));
    List<Signal> truth = all.signalsUpTo(last);
    assertThat(truth.stream().map(Signal::revision).distinct().toList()).isEqualTo(range(1, last));
    for (Joined each : joined) {
      assertThat(each.watch().signalsUpTo(last))
          .as("from %d, prefix [%s], seed %d", each.from(), each.prefix(), seed)
          .containsExactlyElementsOf(
              truth.stream()
                  .filter(signal -> signal.revision() >= each.from())
                  .filter(signal -> signal.key().name().startsWith(each.prefix()))
                  .toList());
    }
  }
}
