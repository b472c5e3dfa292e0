package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.tikv.PatientTikv;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One of several TiKV stores takes requests and answers none: who does not need it goes on. */
@Timeout(240)
class StoreThatHangsTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final EntryKey KEY = EntryKey.of("k");
  private static final int ROUNDS = 30;
  private static final int STUCK = 300; // more than may be under way to one store

  @Test
  void onlyTheSpacesOnAStoreThatHangsWait() throws Exception {
    try (TikvTestCluster cluster = TikvTestCluster.start(2, 1);
        KvStore store = PatientTikv.open(cluster, ForkJoinPool.commonPool());
        TestNode node = TestNode.start(store)) {
      MountedSpace free = space(node, "free");
      MountedSpace stuck = space(node, "stuck");
      moveTo(2, cluster, store, "stuck");
      await(stuck.put(KEY, Content.text("before")));
      WatchRecorder watch = new WatchRecorder();
      await(free.watch(WatchRequest.of(Region.MEMORY, ""), watch));

      cluster.faults().hang(2);
      CompletableFuture<Written> write = stuck.put(KEY, Content.text("held")).toCompletableFuture();
      List<CompletableFuture<?>> reads = new ArrayList<>();
      for (int i = 0; i < STUCK; i++) {
        reads.add(stuck.get(KEY).toCompletableFuture());
      }
      long newest = 0;
      for (int i = 0; i < ROUNDS; i++) {
        newest = await(free.put(KEY, Content.text("v" + i))).revision();
        assertThat(await(free.get(KEY)).orElseThrow().text()).isEqualTo("v" + i);
      }
      assertThat(watch.signalsUpTo(newest)).hasSize(ROUNDS);
      MountedSpace another = space(node, "another");
      await(another.put(KEY, Content.text("made meanwhile")));
      assertThat(write).isNotDone();

      cluster.faults().release(2);
      assertThat(await(write).revision()).isPositive();
      for (CompletableFuture<?> read : reads) {
        await(read.handle((entry, failure) -> 0)); // until then the store may be refused as busy
      }
      assertThat(await(stuck.get(KEY)).orElseThrow().text()).isEqualTo("held");
    }
  }

  private static MountedSpace space(TestNode node, String name) {
    CreatedSpace created =
        await(node.spaces().create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
    return await(node.spaces().open(ANNA, created.mount().id()));
  }

  /** Gives a space a region of its own, on a store. */
  private static void moveTo(long tikv, TikvTestCluster cluster, KvStore store, String name) {
    KeyRange rows = LedgerKeys.all(await(new Catalogue(store).resolve(name)));
    for (Bytes border : List.of(rows.from(), rows.to())) {
      cluster.split(Bytes.utf8("nm").concat(border).toArray());
    }
    cluster.moveLeader(Bytes.utf8("nm").concat(rows.from()).toArray(), tikv);
  }
}
