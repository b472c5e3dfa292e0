package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.tikv.TikvSettings;
import io.nucleusmem.store.tikv.TikvStore;
import io.nucleusmem.store.tikv.server.Fault;
import io.nucleusmem.store.tikv.server.RequestKind;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.tikv.kvproto.Kvrpcpb.CommitRequest;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;

/**
 * A simulation's store over the test server of TiKV's protocol. Besides what the run lets go wrong,
 * requests are refused and lost below the engine, and regions split, merge and move before or after
 * a prewrite. A commit of a log row that nothing of this has met is held to its price: one
 * prewrite, one Raft write, no timestamp but the batch's own.
 */
final class OnTikvServer extends OnTikv {
  private static final int STORES = 3;
  private static final String PREFIX = "nm";
  private static final int ALL = 1_000_000; // requests of a kind, more than a run has
  private static final Duration LOCKED = Duration.ofSeconds(1); // passes for who meets a lock

  private final TikvTestCluster cluster;
  private final boolean cut;
  private TikvStore tikv;
  private TikvStore hasty; // gives up at once
  private final Map<LedgerId, Long> settled =
      new HashMap<>(); // where the last commit found its log
  private int counted;

  private OnTikvServer(Simulation.Run run, boolean cut) {
    super(run);
    this.cut = cut;
    this.cluster = TikvTestCluster.start(STORES, run.clock()::get);
    if (cut) {
      borders().forEach(this::split);
    }
    arm();
    open();
  }

  /** All rows in one region. */
  static OnTikvServer whole(Simulation.Run run) {
    return new OnTikvServer(run, false);
  }

  /** Each ledger cut between its log and what is written behind it, and cut on in the run. */
  static OnTikvServer cut(Simulation.Run run) {
    return new OnTikvServer(run, true);
  }

  /** Commits that were held to their price. */
  int counted() {
    return counted;
  }

  private void open() {
    tikv = open(Duration.ofSeconds(10), Duration.ofSeconds(60));
    hasty = open(Duration.ofMillis(50), Duration.ofMillis(50));
    settled.clear(); // nothing is known of the regions
  }

  private TikvStore open(Duration requestTimeout, Duration operationTimeout) {
    return TikvStore.open(
        new TikvSettings(
            List.of(cluster.pdAddresses()),
            PREFIX,
            Duration.ofSeconds(60),
            requestTimeout,
            operationTimeout,
            256,
            Optional.empty(),
            new TikvSettings.Gc(
                false, Duration.ofDays(1), Duration.ofMinutes(1), Duration.ofMinutes(1))),
        Runnable::run);
  }

  /** Who meets a lock does not wait in the run's time, which stands still meanwhile. */
  private void arm() {
    cluster
        .faults()
        .next(
            RequestKind.CHECK_TXN_STATUS,
            ALL,
            Fault.before(() -> run.clock().addAndGet(LOCKED.toMillis())));
  }

  private void disarm() {
    cluster.faults().clear();
    arm();
  }

  // ---- regions ----

  /** Where the tables of a ledger begin. */
  private static List<Bytes> borders() {
    List<Bytes> borders = new ArrayList<>();
    for (LedgerId id : Simulation.LEDGERS) {
      borders.add(LedgerKeys.log(id).from());
      borders.add(LedgerKeys.log(id).to());
      borders.add(LedgerKeys.allVersions(id).from());
      borders.add(LedgerKeys.versions(id, (byte) 1, Bytes.utf8("k1")).from());
    }
    return borders;
  }

  private static byte[] raw(Bytes key) {
    return Bytes.wrap(PREFIX.getBytes(StandardCharsets.US_ASCII)).concat(key).toArray();
  }

  private void split(Bytes at) {
    if (!cluster.beginsRegion(raw(at))) {
      cluster.split(raw(at));
    }
  }

  private void change() {
    settled.clear();
    Bytes key = borders().get(run.random().nextInt(borders().size()));
    switch (run.random().nextInt(4)) {
      case 0 -> split(key);
      case 1 -> split(LedgerKeys.log(Simulation.LEDGERS.get(0), run.random().nextInt(40)));
      case 2 -> cluster.moveLeader(raw(key), 1 + run.random().nextInt(STORES));
      default -> {
        if (!cluster.isLastRegion(raw(key))) {
          cluster.mergeWithNext(raw(key));
        }
      }
    }
  }

  // ---- commits ----

  @Override
  KvStore tikv() {
    return tikv;
  }

  @Override
  CompletionStage<Void> commitNow(WriteBatch batch) {
    if (run.calm().get() || run.random().nextInt(100) >= 25) {
      return counted(batch);
    }
    settled.clear();
    cluster.faults().next(RequestKind.PREWRITE, disturbance());
    CompletionStage<Void> outcome = super.commitNow(batch);
    disarm();
    return outcome;
  }

  private Fault disturbance() {
    int kind = run.random().nextInt(cut ? 10 : 7);
    return switch (kind) {
      case 0 -> Fault.notLeader();
      case 1 -> Fault.notLeaderBut(2);
      case 2 -> Fault.epochNotMatch();
      case 3 -> Fault.serverIsBusy(1);
      case 4 -> Fault.staleCommand();
      case 5 -> Fault.lostRequest();
      case 6 -> Fault.lostAnswer();
      case 7 -> Fault.after(this::change);
      default -> Fault.before(this::change);
    };
  }

  private CompletionStage<Void> counted(WriteBatch batch) {
    cluster.requests().reset();
    CompletionStage<Void> outcome = super.commitNow(batch);
    if (outcome.toCompletableFuture().isCompletedExceptionally()) {
      return outcome;
    }
    Optional<LedgerId> ledger = ofLogRow(batch);
    if (ledger.isEmpty()) {
      return outcome;
    }
    long region = cluster.regionOf(raw(batch.ops().get(0).key()));
    boolean inOne = batch.ops().stream().allMatch(op -> cluster.regionOf(raw(op.key())) == region);
    Long before = settled.put(ledger.get(), region);
    if (inOne && before != null && before == region && isFirstTime(batch)) {
      counted++;
      requirePrice(batch.timestamp());
    }
    return outcome;
  }

  private void requirePrice(long start) {
    long prewrites =
        cluster.requests().received(RequestKind.PREWRITE, PrewriteRequest.class).stream()
            .filter(request -> request.getStartVersion() == start)
            .count();
    long commits =
        cluster.requests().received(RequestKind.COMMIT, CommitRequest.class).stream()
            .filter(request -> request.getStartVersion() == start)
            .count();
    Promises.require(
        prewrites == 1 && commits == 0,
        "a commit took [%d] prewrites and [%d] second phases",
        prewrites,
        commits);
    Promises.require(
        cluster.requests().writesOf(start) == 1,
        "a commit took [%d] Raft writes",
        cluster.requests().writesOf(start));
    Promises.require(
        cluster.requests().count(RequestKind.TSO) == 0, "a commit took another timestamp");
  }

  /** The ledger whose log the batch continues. */
  private static Optional<LedgerId> ofLogRow(WriteBatch batch) {
    WriteBatch.Op op = batch.ops().get(0);
    return op instanceof WriteBatch.Insert
        ? Simulation.LEDGERS.stream()
            .filter(id -> LedgerKeys.log(id, 1, Long.MAX_VALUE).contains(op.key()))
            .findFirst()
        : Optional.empty();
  }

  @Override
  void commitUnheard(WriteBatch batch) {
    if (run.random().nextInt(4) > 0) {
      super.commitUnheard(batch);
      return;
    }
    settled.clear();
    cluster.faults().next(RequestKind.PREWRITE, ALL, Fault.lostAnswer());
    ended(hasty.commit(batch));
    disarm();
  }

  /** A prewrite that is under way in the network when its client has long given up. */
  @Override
  Held commitLate(WriteBatch batch) {
    if (run.random().nextInt(4) > 0) {
      return super.commitLate(batch);
    }
    settled.clear();
    io.nucleusmem.store.tikv.server.Held late = cluster.faults().hold(RequestKind.PREWRITE);
    cluster.faults().next(RequestKind.PREWRITE, ALL, Fault.lostRequest());
    ended(hasty.commit(batch));
    disarm();
    return held(
        () -> {
          settled.clear();
          late.release();
        },
        late::drop);
  }

  /** The clients' processes die, with what they know of regions; what they began stays. */
  @Override
  public void crash(int landed) {
    tikv.close();
    hasty.close();
    open();
  }

  @Override
  public void close() {
    tikv.close();
    hasty.close();
    cluster.close();
  }
}
