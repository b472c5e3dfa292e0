package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.tikv.PatientTikv;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two clusters that know nothing of each other over one store: each has an owner of the same space,
 * as after a partition that nobody has resolved. The store decides, commit by commit.
 */
@Timeout(480)
class SplitBrainTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final EntryKey COUNTER = EntryKey.of("counter");
  private static final int ROUNDS = 40; // of increments, at each of two callers on each side

  @Test
  void inMemory() throws Exception {
    try (KvStore store = new MemoryStore(StoreScope.REGION)) {
      promisesHold(store, store);
    }
  }

  @Test
  void onTikv() throws Exception {
    try (TikvTestCluster cluster = TikvTestCluster.start();
        KvStore left = open(cluster);
        KvStore right = open(cluster)) {
      promisesHold(left, right);
    }
  }

  private static KvStore open(TikvTestCluster cluster) {
    return PatientTikv.open(cluster, ForkJoinPool.commonPool());
  }

  /** What a caller does until it works: the errors of a split brain are worth another try. */
  private static Written increment(MountedSpace space, AtomicInteger refused, AtomicLong known) {
    while (true) {
      try {
        long floor = known.get();
        Optional<Entry> now = await(space.get(COUNTER));
        assertThat(now.map(Entry::revision).orElse(0L))
            .describedAs("G12: what was acknowledged before the read is in it")
            .isGreaterThanOrEqualTo(floor);
        long next = now.map(entry -> Long.parseLong(entry.text())).orElse(0L) + 1;
        Written written =
            await(
                space.putIfRevision(
                    COUNTER,
                    Content.text(Long.toString(next)),
                    now.map(Entry::revision).orElse(0L)));
        known.accumulateAndGet(written.revision(), Math::max);
        return written;
      } catch (RevisionMismatchException lost) {
        refused.incrementAndGet();
      } catch (MemSpaceException failure) {
        assertThat(failure.code().retryable()).describedAs(failure.toString()).isTrue();
        refused.incrementAndGet();
      }
    }
  }

  private static void promisesHold(KvStore leftStore, KvStore rightStore) throws Exception {
    try (TestNode left = TestNode.start(leftStore);
        TestNode right = TestNode.start(rightStore)) {
      CreatedSpace created =
          await(left.spaces().create(ANNA, CreateSpace.shared("torn"), WriteOptions.DEFAULT));
      List<MountedSpace> sides =
          List.of(
              await(left.spaces().open(ANNA, created.mount().id())),
              await(right.spaces().open(ANNA, created.mount().id())));
      List<WatchRecorder> watches = List.of(new WatchRecorder(), new WatchRecorder());
      for (int side = 0; side < 2; side++) {
        await(sides.get(side).watch(WatchRequest.of(Region.MEMORY, ""), watches.get(side)));
      }
      AtomicInteger refused = new AtomicInteger();
      AtomicLong known = new AtomicLong();
      var acknowledged = new ConcurrentSkipListMap<Long, Boolean>();
      List<CompletableFuture<Void>> callers = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        MountedSpace side = sides.get(caller % 2);
        callers.add(
            CompletableFuture.runAsync(
                () -> {
                  for (int i = 0; i < ROUNDS; i++) {
                    Written written = increment(side, refused, known);
                    assertThat(acknowledged.put(written.revision(), true))
                        .describedAs("G2: a revision is given once")
                        .isNull();
                  }
                },
                task -> new Thread(task).start()));
      }
      callers.forEach(CompletableFuture::join);

      for (MountedSpace side : sides) {
        assertThat(await(side.get(COUNTER)).orElseThrow().text())
            .describedAs("G4: no increment is lost")
            .isEqualTo(Integer.toString(4 * ROUNDS));
      }
      assertThat(refused.get()).describedAs("the owners did meet").isPositive();
      for (WatchRecorder watch : watches) {
        assertThat(watch.signalsUpTo(acknowledged.lastKey()))
            .describedAs("G5: each commit of both sides once, in order")
            .extracting(Signal::revision)
            .containsExactlyElementsOf(acknowledged.keySet());
      }
    }
  }
}
