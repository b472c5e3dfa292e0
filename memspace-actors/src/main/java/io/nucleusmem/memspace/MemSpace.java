package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityTypeKey;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The only writer of one space. Hosts the space's ledger, and keeps what follows from it and is
 * needed to decide: queues of claimable entries, who watches, which nodes hold which mount.
 *
 * <p>Lifecycle: {@code starting -> open -> ended}. It ends when its ledger does (another owner
 * wrote, or the store failed for good) or when it has been idle; sharding starts another when the
 * next message comes.
 */
final class MemSpace extends LedgerOwner {
  static final EntityTypeKey<Message> TYPE_KEY = EntityTypeKey.create(Message.class, "memspace");

  private static final int CLAIM_SCAN_PAGE = 1_000;
  private static final int CLAIM_QUEUES_MAX = 64;

  // ---- what others may ask ----

  /** Applies a command. */
  record Apply(SpaceCommand command, Promise<Outcome> reply) implements Anytime {
    @Override
    public boolean isCommand() {
      return true;
    }
  }

  /** Claims entries. */
  record MakeClaim(
      String author,
      RequestStamp request,
      boolean maybeRetried,
      SpaceChanges.ClaimRequest claim,
      Promise<Outcome> reply)
      implements Message {
    @Override
    public boolean isCommand() {
      return true;
    }
  }

  /** What the space is, who has it mounted, which topics it has. */
  record Describe(Promise<Description> reply) implements Message {}

  /**
   * A node wants to read through a mount, for the time of a lease.
   *
   * @param node is told what is granted, and later that it has ended, in this order
   * @param asked the node's nanoTime, from which it counts the lease
   */
  record OpenGrant(String mountId, ActorRef<Grants.Message> node, long asked, Promise<Grant> reply)
      implements Message {}

  /** Ends a mount; answered when no node can use it any more. */
  record RevokeMount(String author, String mountId, Promise<Boolean> reply) implements Anytime {}

  /** Changes the manifest; answered when every node that holds a mount that it ends knows. */
  record Update(Principal caller, UpdateSpace change, Promise<Boolean> reply) implements Anytime {}

  /** Shows less or more; answered when every node that holds a mount knows. */
  record ChangeRules(SpaceCommand command, Promise<Boolean> reply) implements Anytime {}

  /** Archives or deletes; answered when every node that holds a mount knows. */
  record SetState(Principal caller, String target, Promise<Boolean> reply) implements Anytime {}

  /**
   * The ledger of a topic; made if wanted, else {@link ErrorCode#TOPIC_NOT_FOUND}.
   *
   * @param mountId must let its holder make it; null for a topic of the system's own (dead letters)
   */
  record FindTopic(
      String name, boolean make, String author, String mountId, Promise<LedgerId> reply)
      implements Message {}

  /** Answer to {@link Describe}. */
  record Description(
      SpaceInfo info,
      boolean deleted,
      List<MountInfo> mounts,
      Map<String, SpaceRows.Topic> topics,
      long floor) {}

  private Holders holders; // null while no node reads
  private Map<EntryRef, ClaimQueue> claimQueues; // by prefix; null until the first claim
  private OpenClaims openClaims; // null until then too

  static Behavior<Message> create(
      LedgerId id, MemSpaceNode node, ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(context -> new MemSpace(context, id, node, shard));
  }

  private MemSpace(
      ActorContext<Message> context,
      LedgerId id,
      MemSpaceNode node,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(context, id, node, node.spaces(), shard);
  }

  @Override
  void handle(Message message) {
    if (message instanceof Apply apply) {
      submit(apply.command(), apply.reply());
    } else if (message instanceof MakeClaim claim) {
      claim(claim);
    } else if (message instanceof OpenGrant grant) {
      onOpenGrant(grant);
    } else if (message instanceof Describe describe) {
      onDescribe(describe);
    } else if (message instanceof FindTopic find) {
      onFindTopic(find);
    } else if (message instanceof RevokeMount revoke) {
      onRevokeMount(revoke);
    } else if (message instanceof Update update) {
      onUpdate(update);
    } else if (message instanceof ChangeRules rules) {
      onChangeRules(rules);
    } else if (message instanceof SetState state) {
      onSetState(state);
    } else {
      throw new IllegalArgumentException("a space cannot handle [%s]".formatted(message));
    }
  }

  // ---- claims ----

  private void claim(MakeClaim message) {
    EntryRef prefix = SpaceRows.ref(message.claim().prefix());
    if (claimQueues == null) {
      claimQueues = new HashMap<>();
      openClaims = new OpenClaims();
      ledger()
          .table(SpaceRows.CLAIMS)
          .forEach(
              (key, row) ->
                  openClaims.add(SpaceRows.claimedEntry(key), SpaceRows.ClaimRow.decode(row)));
    }
    if (claimQueues.size() >= CLAIM_QUEUES_MAX && !claimQueues.containsKey(prefix)) {
      claimQueues
          .values()
          .removeIf(ClaimQueue::isReady); // rebuilt by a scan when claimed from again
    }
    ClaimQueue queue =
        claimQueues.computeIfAbsent(
            prefix, same -> new ClaimQueue(same, node().settings().claimableMax()));
    if (queue.isReady()) {
      submitClaim(message, queue);
    } else if (!queue.await(message)) {
      load(queue, prefix);
    }
  }

  private void load(ClaimQueue queue, EntryRef prefix) {
    ledger()
        .table(SpaceRows.CLAIMS)
        .forEach(
            (key, row) -> {
              EntryRef entry = SpaceRows.claimedEntry(key);
              if (queue.covers(entry)) {
                queue.claimed(entry, SpaceRows.ClaimRow.decode(row));
              }
            });
    getContext()
        .pipeToSelf(
            loadQueue(
                queue,
                LedgerKeys.versions(id(), prefix.region(), prefix.key()),
                ledger().committed()),
            (done, failure) -> new Step(() -> loaded(queue, prefix, failure)));
  }

  private CompletionStage<Void> loadQueue(ClaimQueue queue, KeyRange range, long revision) {
    return node()
        .reader(id())
        .scan(range, revision, CLAIM_SCAN_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              CompletableFuture<Void> added = new CompletableFuture<>();
              getContext()
                  .getSelf()
                  .tell(
                      new Step(
                          () -> {
                            page.versions().forEach(queue::scanned);
                            added.complete(null);
                          }));
              return page.rest().isPresent()
                  ? added.thenCompose(done -> loadQueue(queue, page.rest().get(), revision))
                  : added;
            });
  }

  private void loaded(ClaimQueue queue, EntryRef prefix, Throwable failure) {
    List<MakeClaim> waiting = queue.loaded();
    if (failure != null) {
      claimQueues.remove(prefix);
      waiting.forEach(message -> fail(message.reply(), Calls.explain(failure)));
    } else {
      waiting.forEach(message -> submitClaim(message, queue));
    }
  }

  private void submitClaim(MakeClaim message, ClaimQueue queue) {
    submit(
        new SpaceChanges.Claim(
            message.author(),
            message.request(),
            message.maybeRetried(),
            message.claim(),
            node().settings().claimsMax(),
            openClaims,
            queue),
        message.reply());
  }

  // ---- reading what the space is ----

  private void onDescribe(Describe message) {
    SpaceRows.Manifest manifest = manifest();
    List<MountInfo> mounts = new ArrayList<>();
    ledger()
        .table(SpaceRows.MOUNTS)
        .forEach((key, row) -> mounts.add(Decoded.mount(row, key.key().utf8(), manifest.name())));
    Map<String, SpaceRows.Topic> topics = new HashMap<>();
    ledger()
        .table(SpaceRows.TOPICS)
        .forEach(
            (key, row) -> topics.put(key.key().utf8(), Decoded.of(row, SpaceRows.Topic.class)));
    Description description =
        new Description(
            manifest.info(ledger().committed(), ledger().state(ForkRows.FORKED_FROM_KEY)),
            manifest.state().equals(SpaceRows.Manifest.DELETED),
            mounts,
            topics,
            ledger().floor());
    node().answers().execute(() -> message.reply().succeed(description));
  }

  private SpaceRows.Manifest manifest() {
    return Decoded.of(
        ledger().state(SpaceRows.MANIFEST_KEY).orElseThrow(), SpaceRows.Manifest.class);
  }

  // ---- mounts ----

  private void onOpenGrant(OpenGrant message) {
    if (node().store().scope() == StoreScope.ALL) {
      grant(message);
      return;
    }
    // who was replaced must not prolong a mount that the new owner has revoked: one look tells
    ledger()
        .submit(
            new SpaceChanges.Look(message.mountId()),
            (outcome, refusal) -> {
              if (refusal != null) {
                message.reply().fail(refusal);
              } else {
                later(() -> grant(message));
              }
            });
  }

  private void grant(OpenGrant message) {
    SpaceRows.Manifest manifest = manifest();
    var row = ledger().state(SpaceRows.mountKey(message.mountId()));
    if (manifest.state().equals(SpaceRows.Manifest.DELETED)) {
      fail(message.reply(), SpaceCommand.gone(manifest.name()));
    } else if (row.isEmpty()) {
      fail(message.reply(), SpaceCommand.revoked(message.mountId()));
    } else {
      holders = holders == null ? new Holders() : holders;
      holders.granted(message.mountId(), message.node(), node().settings().grantLease());
      MountInfo mount = Decoded.mount(row.get(), message.mountId(), manifest.name());
      boolean archived = manifest.state().equals(SpaceRows.Manifest.ARCHIVED);
      message
          .node()
          .tell(
              new Grants.Granted(
                  id(),
                  mount,
                  archived,
                  KeepingChanges.rules(ledger()::table),
                  message.asked(),
                  message.reply()));
    }
  }

  private void onRevokeMount(RevokeMount message) {
    ledger()
        .submit(
            new SpaceChanges.Revoke(message.author(), message.mountId()),
            (outcome, refusal) -> {
              if (refusal != null) {
                message.reply().fail(refusal);
              } else {
                tellHolders(List.of(message.mountId()), Grants.Change.REVOKED, message.reply());
              }
            });
  }

  private void onUpdate(Update message) {
    ledger()
        .submit(
            new SpaceChanges.Update(message.caller(), message.change()),
            (outcome, refusal) -> {
              if (refusal != null) {
                message.reply().fail(refusal);
                return;
              }
              List<String> ended = new ArrayList<>();
              for (Change change : outcome.record().changes()) {
                if (change instanceof Change.OfState state
                    && state.key().table() == SpaceRows.MOUNTS) {
                  ended.add(state.key().key().utf8());
                }
              }
              tellHolders(ended, Grants.Change.REVOKED, message.reply());
            });
  }

  private void onChangeRules(ChangeRules message) {
    ledger()
        .submit(
            message.command(),
            (outcome, refusal) -> {
              if (refusal != null) {
                message.reply().fail(refusal);
                return;
              }
              later(
                  () -> {
                    ledger().forgetHeads();
                    List<String> all = new ArrayList<>();
                    ledger()
                        .table(SpaceRows.MOUNTS)
                        .forEach((key, row) -> all.add(key.key().utf8()));
                    tellHolders(all, Grants.Change.STALE, message.reply());
                  });
            });
  }

  private void onSetState(SetState message) {
    ledger()
        .submit(
            new SpaceChanges.SetState(message.caller(), message.target()),
            (outcome, refusal) -> {
              if (refusal != null) {
                message.reply().fail(refusal);
                return;
              }
              List<String> all = new ArrayList<>();
              ledger().table(SpaceRows.MOUNTS).forEach((key, row) -> all.add(key.key().utf8()));
              tellHolders(
                  all,
                  message.target().equals(SpaceRows.Manifest.ARCHIVED)
                      ? Grants.Change.ARCHIVED
                      : Grants.Change.DELETED,
                  message.reply());
            });
  }

  /**
   * Tells the nodes that hold mounts, back on this actor's thread. This node is told in any case:
   * an owner that was here before may have granted it what this one does not know of.
   */
  private void tellHolders(List<String> mounts, Grants.Change what, Promise<Boolean> reply) {
    later(
        () -> {
          holders = holders == null ? new Holders() : holders;
          mounts.forEach(
              mount ->
                  holders.granted(
                      mount, node().grants().listener(), node().settings().grantLease()));
          holders.tell(mounts, what).whenComplete((done, failure) -> succeed(reply, true));
        });
  }

  // ---- topics ----

  private void onFindTopic(FindTopic message) {
    var listed = ledger().state(SpaceRows.topicKey(message.name()));
    if (listed.isPresent()) {
      succeed(message.reply(), Decoded.of(listed.get(), SpaceRows.Topic.class).ledger());
      return;
    }
    var forkedFrom =
        ledger()
            .state(ForkRows.FORKED_FROM_KEY)
            .map(row -> Decoded.of(row, ForkRows.ForkedFrom.class));
    if (forkedFrom.isEmpty() || forkedFrom.get().isOwn()) {
      onFindOwnTopic(message);
      return;
    }
    InheritedTopics.find(node(), id(), manifest().name(), forkedFrom.get(), message)
        .whenComplete(
            (found, failure) -> {
              if (failure != null) {
                message.reply().fail(Calls.explain(failure));
              } else if (found.isPresent()) {
                message.reply().succeed(found.get());
              } else {
                later(() -> onFindOwnTopic(message));
              }
            });
  }

  private void onFindOwnTopic(FindTopic message) {
    var listed = ledger().state(SpaceRows.topicKey(message.name()));
    if (listed.isPresent()) {
      succeed(message.reply(), Decoded.of(listed.get(), SpaceRows.Topic.class).ledger());
    } else if (!message.make()) {
      fail(
          message.reply(),
          new MemSpaceException(
              ErrorCode.TOPIC_NOT_FOUND, "there is no topic [%s]".formatted(message.name())));
    } else {
      makeTopic(message);
    }
  }

  /**
   * First the topic's ledger, then its row here: a crash in between leaves a ledger that nobody
   * knows, and harms nobody.
   */
  private void makeTopic(FindTopic message) {
    LedgerId topic = LedgerId.random();
    String space = manifest().name();
    CompletionStage<Void> made =
        node()
            .store()
            .now()
            .thenCompose(
                now -> {
                  WriteBatch.Builder batch = WriteBatch.at(now);
                  TopicRows.Manifest row =
                      new TopicRows.Manifest(id().toString(), space, message.name());
                  LogRecord record =
                      new LogRecord(
                          message.author(),
                          null,
                          List.of(
                              new Change.OfState(TopicRows.MANIFEST_KEY, StateJson.encode(row))));
                  Ledger.create(batch, node().store(), topic, 0, now, record);
                  return node().store().commit(batch.build());
                });
    made.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            message.reply().fail(Calls.explain(failure));
            return;
          }
          later(
              () ->
                  ledger()
                      .submit(
                          new SpaceChanges.AddTopic(
                              message.author(), message.mountId(), message.name(), topic),
                          (outcome, refusal) -> {
                            if (refusal == null) {
                              later(() -> topicMade(message, topic));
                              return;
                            }
                            if (refusal instanceof MemSpaceException) {
                              later(() -> discard(topic)); // its row will never be there
                            }
                            message.reply().fail(refusal);
                          }));
        });
  }

  /** Another may have been first: the row tells. */
  private void topicMade(FindTopic message, LedgerId topic) {
    var listed = ledger().state(SpaceRows.topicKey(message.name()));
    if (!listed
        .map(row -> Decoded.of(row, SpaceRows.Topic.class).ledger())
        .equals(Optional.of(topic))) {
      discard(topic);
    }
    onFindOwnTopic(message);
  }

  private void discard(LedgerId topic) {
    getContext()
        .pipeToSelf(
            new Catalogue(node().store()).discard(topic),
            (removed, failure) ->
                new Step(
                    () -> {
                      if (failure != null) {
                        getContext()
                            .getLog()
                            .info("rows of unlisted topic {} stay", topic, failure);
                      }
                    }));
  }

  // ---- what follows from the log ----

  @Override
  long floorMax(PendingView view) {
    return ForkRows.oldestNeeded(view).orElse(Long.MAX_VALUE);
  }

  @Override
  void committed(LogRow row) {
    if (node().store().scope() == StoreScope.REGION) {
      holders = holders == null ? new Holders() : holders;
      holders.committed(node().settings().grantLease());
    }
    if (claimQueues != null) {
      openClaims.committed(row);
      claimQueues.values().forEach(queue -> queue.committed(row));
    }
  }
}
