package io.nucleusmem.memspace;

import akka.Done;
import akka.actor.Cancellable;
import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.Entity;
import akka.cluster.typed.Cluster;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Predicate;

/**
 * Spaces and topics on one node: starts their sharding, the hub of watches, the table of mounts.
 */
public final class MemSpaceSystem {
  private static final Duration SWEEP_MAX = Duration.ofSeconds(10);

  private final MemSpaceClient client;
  private final MemSpaceNode node;
  private final OperationsClient operations;
  private final SpaceKeepingClient keeping;
  private final WatchHub hub;
  private final ForkSweep forks;

  private MemSpaceSystem(
      MemSpaceClient client,
      MemSpaceNode node,
      WatchHub hub,
      OperationsClient operations,
      SpaceKeepingClient keeping,
      ForkSweep forks) {
    this.client = client;
    this.node = node;
    this.hub = hub;
    this.operations = operations;
    this.keeping = keeping;
    this.forks = forks;
  }

  /** Looks after all forks now, instead of when it is time. */
  CompletionStage<Void> lookAfterForks() {
    return forks.run();
  }

  /** Starts on a system that is, or will be, a member of a cluster. Once per system. */
  public static MemSpaceSystem start(ActorSystem<?> system, KvStore store) {
    MemSpaceSettings settings = MemSpaceSettings.from(system.settings().config());
    Executor answers = system.dispatchers().lookup(DispatcherSelector.defaultDispatcher());
    ClusterSharding sharding = ClusterSharding.get(system);
    Calls calls = new Calls(system, settings.callTimeout(), settings.attemptTimeout());
    boolean exact = store.scope() == StoreScope.ALL;
    Owners spaces = new Owners(sharding, MemSpace.TYPE_KEY, exact, () -> hasOthers(system));
    Owners topicOwners = new Owners(sharding, Topic.TYPE_KEY, exact, () -> hasOthers(system));
    Grants grants = new Grants(calls, spaces, settings.grantLease(), answers);
    MemSpaceNode node =
        new MemSpaceNode(
            store, settings, answers, spaces, topicOwners, grants, calls, new Bases(store));
    VersionCache cache = new VersionCache(settings.cacheBytes());
    WatchHub hub = new WatchHub(node, cache);
    Topics topics = new Topics(node, hub);
    Catalogue catalogue = new Catalogue(store);

    grants.onErasure(
        () -> {
          cache.clear();
          hub.forget();
        });
    grants.start(system);
    hub.start(system);
    LostMembers.get(system)
        .whenLost(
            () -> {
              calls.again();
              hub.attachAgain();
            });
    sharding.init(
        Entity.of(
                MemSpace.TYPE_KEY,
                entity ->
                    MemSpace.create(LedgerId.parse(entity.getEntityId()), node, entity.getShard()))
            .withStopMessage(new LedgerOwner.Stop()));
    sharding.init(
        Entity.of(
                Topic.TYPE_KEY,
                entity ->
                    Topic.create(LedgerId.parse(entity.getEntityId()), node, entity.getShard()))
            .withStopMessage(new LedgerOwner.Stop()));

    Duration renew = settings.grantLease().dividedBy(4);
    Cancellable renewals =
        system
            .scheduler()
            .scheduleWithFixedDelay(renew, renew, grants::renewUsed, system.executionContext());
    Duration sweep =
        settings.idleTimeout().dividedBy(4).compareTo(SWEEP_MAX) < 0
            ? settings.idleTimeout().dividedBy(4)
            : SWEEP_MAX;
    Cancellable idle =
        system
            .scheduler()
            .scheduleWithFixedDelay(
                sweep,
                sweep,
                () -> {
                  spaces.eachIdle(settings.idleTimeout(), new LedgerOwner.Idle());
                  topicOwners.eachIdle(settings.idleTimeout(), new LedgerOwner.Idle());
                },
                system.executionContext());
    CoordinatedShutdown.get(system)
        .addTask(
            CoordinatedShutdown.PhaseBeforeClusterShutdown(),
            "nucleusmem-owners-leave",
            () -> {
              renewals.cancel();
              spaces.leave();
              topicOwners.leave();
              return CompletableFuture.completedFuture(Done.getInstance());
            });
    system
        .getWhenTerminated()
        .whenComplete(
            (done, failure) -> {
              idle.cancel();
              calls.stop();
            });
    store.now().thenAccept(now -> RequestStamp.notBefore(Timestamps.millis(now)));
    (store.scope() == StoreScope.ALL
            ? catalogue.discardStaged() // an embedded store is this process's alone
            : CompletableFuture.<Void>completedStage(null))
        .thenCompose(done -> catalogue.empty())
        .whenComplete(
            (removed, failure) -> {
              if (failure != null) {
                system.log().warn("rows of deleted spaces could not be removed yet", failure);
              }
            });
    MemSpaceClient client = new MemSpaceClient(node, catalogue, hub, topics, cache);
    OperationsClient operations = new OperationsClient(system, store);
    RetentionSettings retention = RetentionSettings.from(system.settings().config());
    SpaceKeepingClient keeping = new SpaceKeepingClient(client, catalogue, operations, retention);
    operations.start();
    new RetentionSweep(system, node, catalogue, keeping).start(retention.interval());
    ForkSettings forks = ForkSettings.from(system.settings().config());
    ForkSweep sweeper = new ForkSweep(system, node, catalogue, client.pins(), keeping, forks);
    sweeper.start();
    system.getWhenTerminated().whenComplete((done, failure) -> operations.stop());
    return new MemSpaceSystem(client, node, hub, operations, keeping, sweeper);
  }

  private static boolean hasOthers(ActorSystem<?> system) {
    Cluster cluster = Cluster.get(system);
    for (Member member : cluster.state().getMembers()) {
      if (member.status().equals(MemberStatus.up()) && !member.equals(cluster.selfMember())) {
        return true;
      }
    }
    return false;
  }

  /** The client of this node. */
  public MemSpaces client() {
    return client;
  }

  /** The space of a mount: the id names it. */
  public static LedgerId spaceOf(String mountId) {
    return SpaceRows.spaceOf(mountId);
  }

  /** The id of the space that has the name now; {@link ErrorCode#SPACE_NOT_FOUND}. */
  public CompletionStage<LedgerId> idOf(String space) {
    return new Catalogue(node.store()).resolve(space);
  }

  /** The newest revision that a space had at a past timestamp; -1 if it was not there. */
  public CompletionStage<Long> revisionAt(String space, long timestamp) {
    return idOf(space).thenCompose(id -> node.reader(id).revisionAt(timestamp));
  }

  /** True unless the space was deleted, whoever has its name now. */
  public CompletionStage<Boolean> exists(LedgerId space) {
    return new LedgerReader(node.store(), space)
        .state(SpaceRows.MANIFEST_KEY)
        .thenApply(
            row ->
                row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class))
                    .filter(manifest -> !manifest.state().equals(SpaceRows.Manifest.DELETED))
                    .isPresent());
  }

  /**
   * A space as the node's own parts read it: all of it, without a mount, and from the store, so
   * that nothing is shown that is gone there. Who hands on what it shows has asked whether he may.
   */
  public MountedSpace view(LedgerId space) {
    Grant grant =
        new Grant(
            space,
            new MountInfo(
                "system",
                space.toString(),
                "system",
                Access.READ_ONLY,
                Set.of(),
                List.of(),
                Set.of(),
                "system",
                true));
    grant.renewed(System.nanoTime() + Long.MAX_VALUE / 2);
    return new MountedSpaceClient(client, grant, false);
  }

  /**
   * What some authors wrote into a space and its topics.
   *
   * @param from timestamp of the first commit
   * @param until timestamp of the last
   */
  public CompletionStage<Authorship.Found> writtenBy(
      LedgerId space, Predicate<String> authors, long from, long until) {
    return new Authorship(new LedgerReader(node.store(), space), view(space), authors, from, until)
        .find();
  }

  /** Long-running work, of all nodes. */
  public Operations operations() {
    return operations;
  }

  /** What becomes of spaces' pasts. */
  public SpaceKeeping keeping() {
    return keeping;
  }

  /** Who hears on this node that several watchers are told of the same commit; one at a time. */
  public void feeding(Feeding listener) {
    hub.feeding(listener);
  }

  /** Owners of spaces and topics that live on this node now. */
  public int owners() {
    return node.spaces().size() + node.topics().size();
  }

  /**
   * Lets go of what a space has superseded before a revision; the number of rows removed.
   *
   * @param floor oldest revision that can be read afterwards
   */
  public CompletionStage<Long> compact(String space, long floor) {
    return keeping.compact(space, floor);
  }
}
