package io.nucleusmem.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.tikv.PatientTikv;
import io.nucleusmem.store.tikv.server.RequestKind;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a commit costs on TiKV, where a space has grown and lies in several regions. */
@Timeout(240)
class TikvCommitPriceTest {
  private static final LedgerId ID = LedgerId.parse("00112233445566778899aabbccddeeff");
  private static final int PUTS = 64;

  /** A host whose delays never pass: nothing is written behind the log. */
  private static final class Host implements LedgerHost {
    private final BlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();
    private final List<Runnable> delayed = new ArrayList<>();
    private int commits;

    @Override
    public void execute(Runnable step) {
      steps.add(step);
    }

    @Override
    public void schedule(Duration delay, Runnable step) {
      delayed.add(step);
    }

    @Override
    public void answer(Runnable answers) {
      answers.run();
    }

    @Override
    public void committed(LogRow row) {
      commits++;
    }

    @Override
    public void ended(LedgerException why) {
      throw why;
    }

    void runUntilCommits(int count) throws InterruptedException {
      while (commits < count) {
        Runnable step = steps.poll(60, TimeUnit.SECONDS);
        assertThat(step).describedAs("a step within 60 s").isNotNull();
        step.run();
      }
    }
  }

  @Test
  void aCommitIsATimestampAPrewriteAndARaftWriteForAllThatWaited() throws Exception {
    try (TikvTestCluster cluster = TikvTestCluster.start(3, 1);
        KvStore store = PatientTikv.open(cluster, Runnable::run)) {
      cut(cluster, LedgerKeys.log(ID));
      cut(cluster, LedgerKeys.allVersions(ID));
      create(store);
      Host host = new Host();
      Ledger ledger = new Ledger(ID, store, LedgerSettings.DEFAULT, host, 1, false);
      ledger.start();
      ledger.submit(put(0), (outcome, refusal) -> {});
      host.runUntilCommits(1); // it knows the regions now

      cluster.requests().reset();
      for (int i = 1; i <= 3; i++) {
        ledger.submit(put(i), (outcome, refusal) -> {});
        host.runUntilCommits(1 + i);
      }
      assertCost(cluster, 3);

      cluster.requests().reset();
      ledger.submit(put(4), (outcome, refusal) -> {});
      for (int i = 0; i < PUTS; i++) { // while the one before is under way
        ledger.submit(put(5 + i), (outcome, refusal) -> {});
      }
      int before = host.commits;
      while (ledger.committed() < 5 + PUTS) {
        host.runUntilCommits(host.commits + 1);
      }
      assertThat(host.commits - before).isLessThanOrEqualTo(2);
      assertCost(cluster, host.commits - before);
      assertThat(host.delayed).describedAs("the index waits").isNotEmpty();
    }
  }

  private static void assertCost(TikvTestCluster cluster, int commits) {
    for (RequestKind kind : RequestKind.values()) {
      int expected = kind == RequestKind.PREWRITE || kind == RequestKind.TSO ? commits : 0;
      assertThat(cluster.requests().count(kind)).describedAs(kind.name()).isEqualTo(expected);
    }
    assertThat(cluster.requests().writes()).describedAs("Raft writes").isEqualTo(commits);
  }

  private static void cut(TikvTestCluster cluster, KeyRange table) {
    cluster.split(Bytes.utf8("nm").concat(table.from()).toArray());
    cluster.split(Bytes.utf8("nm").concat(table.to()).toArray());
  }

  private static void create(KvStore store) {
    long now = store.now().toCompletableFuture().join();
    WriteBatch.Builder batch = WriteBatch.at(now);
    Ledger.create(batch, store, ID, 0, now, new LogRecord("creator", null, List.of()));
    store.commit(batch.build()).toCompletableFuture().join();
  }

  private static Attempt put(int number) {
    EntryRef key = new EntryRef((byte) 1, Bytes.utf8("k" + number));
    return new Attempt(number, 0, "client-" + number, Attempt.Kind.PUT, key, key, 0, null);
  }
}
