package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityTypeKey;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerException;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.Reply;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The only writer of one topic: orders its messages, and keeps its durable subscriptions. A message
 * is an entry of the region {@code comm} named by its revision.
 *
 * <p>Subscriptions are kept in a ledger of their own beside it, so that the topic's revisions are
 * those of its messages, without gaps. It is opened when the first subscription is asked for.
 */
final class Topic extends LedgerOwner {
  static final EntityTypeKey<Message> TYPE_KEY = EntityTypeKey.create(Message.class, "topic");

  // ---- what others may ask ----

  /**
   * Publishes.
   *
   * @param mountId null for a message of the system's own (dead letters)
   * @param to null for everybody
   */
  record Publish(
      String mountId,
      String sender,
      RequestStamp request,
      boolean maybeRetried,
      Content content,
      String to,
      Promise<Outcome> reply)
      implements Message {
    @Override
    public boolean isCommand() {
      return true;
    }
  }

  /** Makes a durable subscription, or tells of the one that is there. */
  record Subscribe(
      String name, SubscriptionSpec spec, String author, Promise<SubscriptionInfo> reply)
      implements Message {}

  /** Takes messages: revisions and delivery counts. */
  record Pull(String name, int max, long waitMillis, Promise<List<Taken>> reply)
      implements Message {}

  /** Acknowledges, or gives back. */
  record Settle(String name, boolean ack, List<Long> revisions, Promise<Boolean> reply)
      implements Message {}

  /** How far the subscriptions are; one, or all if the name is null. */
  record Inspect(String name, Promise<List<SubscriptionInfo>> reply) implements Message {}

  /** Ends a subscription. */
  record Unsubscribe(String name, String author, Promise<Boolean> reply) implements Message {}

  /** A message that a subscription delivers, for the n-th time. */
  record Taken(long revision, int delivery) {}

  private Map<String, TopicSubscription> subscriptions; // null until their ledger is open
  private Ledger progress; // the ledger of subscriptions; null until somebody asks for one
  private final List<Message> beforeProgress = new ArrayList<>(0); // what waits for it to open
  private TopicRows.Manifest manifest;

  static Behavior<Message> create(
      LedgerId id, MemSpaceNode node, ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(context -> new Topic(context, id, node, shard));
  }

  private Topic(
      ActorContext<Message> context,
      LedgerId id,
      MemSpaceNode node,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(context, id, node, node.topics(), shard);
  }

  @Override
  void handle(Message message) {
    if (message instanceof Publish publish) {
      onPublish(publish);
    } else if (subscriptions == null) {
      beforeProgress.add(message); // bounded by the time that opening takes
      if (progress == null) {
        openProgress();
      }
    } else if (message instanceof Subscribe subscribe) {
      onSubscribe(subscribe);
    } else if (message instanceof Pull pull) {
      onPull(pull);
    } else if (message instanceof Settle settle) {
      onSettle(settle);
    } else if (message instanceof Inspect inspect) {
      onInspect(inspect);
    } else if (message instanceof Unsubscribe unsubscribe) {
      onUnsubscribe(unsubscribe);
    } else {
      throw new IllegalArgumentException("a topic cannot handle [%s]".formatted(message));
    }
  }

  @Override
  void opened() {
    manifest =
        StateJson.decode(
            ledger().state(TopicRows.MANIFEST_KEY).orElseThrow(), TopicRows.Manifest.class);
  }

  @Override
  boolean mayLeave() {
    return isSettled()
        && (subscriptions == null
            || subscriptions.values().stream().allMatch(TopicSubscription::mayLeave));
  }

  @Override
  boolean isSettled() {
    return progress == null || progress.isIdle();
  }

  @Override
  void leaving() {
    if (progress != null) {
      progress.stop();
    }
  }

  // ---- the ledger of subscriptions ----

  /** Where a topic's subscriptions are kept. */
  static LedgerId progressOf(LedgerId topic) {
    return topic.child("subscriptions", 0);
  }

  private void openProgress() {
    LedgerId its = progressOf(id());
    progress =
        node()
            .newLedger(
                its,
                new LedgerRunner(this) {
                  @Override
                  public void committed(LogRow row) {}

                  @Override
                  public void ended(LedgerException why) {
                    endedProgress(why);
                  }
                });
    CompletionStage<Void> made =
        node()
            .store()
            .now()
            .thenCompose(
                now -> {
                  WriteBatch.Builder batch = WriteBatch.at(now);
                  LogRecord record = new LogRecord("topic/" + manifest.name(), null, List.of());
                  Ledger.create(batch, node().store(), its, 0, now, record);
                  return node().store().commit(batch.build());
                });
    getContext()
        .pipeToSelf(
            made,
            (done, isThereOrFailed) -> new Step(progress::start)); // start tells which of both
  }

  @Override
  void afterStep() {
    if (subscriptions == null && progress != null && progress.isOpen()) {
      subscriptions = new HashMap<>();
      progress
          .table(TopicRows.SUBSCRIPTIONS)
          .forEach(
              (key, row) ->
                  add(key.key().utf8(), StateJson.decode(row, TopicRows.SubscriptionRow.class)));
      List<Message> waiting = List.copyOf(beforeProgress);
      beforeProgress.clear();
      waiting.forEach(getContext().getSelf()::tell);
    }
  }

  private void endedProgress(LedgerException why) {
    beforeProgress.forEach(message -> fail(message.reply(), Calls.explain(why)));
    beforeProgress.clear();
    getContext().getSelf().tell(new Stop());
  }

  // ---- publishing ----

  private void onPublish(Publish message) {
    if (message.mountId() == null) {
      submit(new TopicCommand.Publish(message, manifest.name(), null), message.reply());
      return;
    }
    var grant = node().grants().get(message.mountId()).toCompletableFuture();
    if (grant.isDone() && !grant.isCompletedExceptionally()) {
      submit(new TopicCommand.Publish(message, manifest.name(), grant.join()), message.reply());
      return;
    }
    grant.whenComplete(
        (found, failure) -> {
          if (failure != null) {
            message.reply().fail(Calls.explain(failure));
          } else {
            later(
                () ->
                    submit(
                        new TopicCommand.Publish(message, manifest.name(), found),
                        message.reply()));
          }
        });
  }

  @Override
  void committed(LogRow row) {
    boolean messages =
        row.records().stream()
            .anyMatch(
                record -> record.changes().stream().anyMatch(Change.OfEntry.class::isInstance));
    if (subscriptions != null && messages) {
      subscriptions.values().forEach(TopicSubscription::somethingNew);
    }
  }

  // ---- subscriptions ----

  private void add(String name, TopicRows.SubscriptionRow row) {
    subscriptions.put(
        name, new TopicSubscription(this, getContext(), manifest, new Subscription(name, row)));
  }

  private TopicSubscription find(String name, Promise<?> reply) {
    TopicSubscription found = subscriptions.get(name);
    if (found == null) {
      fail(
          reply,
          new MemSpaceException(
              ErrorCode.SUBSCRIPTION_NOT_FOUND,
              "topic [%s] has no subscription [%s]".formatted(manifest.name(), name)));
    }
    return found;
  }

  private void onSubscribe(Subscribe message) {
    TopicSubscription there = subscriptions.get(message.name());
    if (there != null) {
      succeed(message.reply(), there.info(false));
      return;
    }
    long floor =
        message.spec().from() instanceof SubscriptionSpec.From.Revision from
            ? from.revision() - 1
            : message.spec().from() instanceof SubscriptionSpec.From.Earliest
                ? 0
                : ledger().committed();
    TopicRows.SubscriptionRow row =
        TopicRows.SubscriptionRow.of(message.spec(), Math.max(floor, 0));
    save(
        message.author(),
        List.of(
            new Change.OfState(TopicRows.subscriptionKey(message.name()), StateJson.encode(row))),
        (outcome, refusal) -> {
          if (refusal != null) {
            fail(message.reply(), refusal);
            return;
          }
          boolean first = !subscriptions.containsKey(message.name());
          if (first) {
            add(message.name(), row);
          }
          succeed(message.reply(), subscriptions.get(message.name()).info(first));
        });
  }

  private void onPull(Pull message) {
    TopicSubscription subscription = find(message.name(), message.reply());
    if (subscription != null) {
      subscription.pull(message);
    }
  }

  private void onSettle(Settle message) {
    TopicSubscription subscription = find(message.name(), message.reply());
    if (subscription != null) {
      subscription.settle(message);
    }
  }

  private void onInspect(Inspect message) {
    if (message.name() == null) {
      List<SubscriptionInfo> all = new ArrayList<>();
      subscriptions.values().forEach(subscription -> all.add(subscription.info(false)));
      all.sort((a, b) -> a.name().compareTo(b.name()));
      succeed(message.reply(), all);
      return;
    }
    TopicSubscription subscription = find(message.name(), message.reply());
    if (subscription != null) {
      succeed(message.reply(), List.of(subscription.info(false)));
    }
  }

  private void onUnsubscribe(Unsubscribe message) {
    TopicSubscription subscription = find(message.name(), message.reply());
    if (subscription == null) {
      return;
    }
    save(
        message.author(),
        List.of(new Change.OfState(TopicRows.subscriptionKey(message.name()), null)),
        (outcome, refusal) -> {
          if (refusal != null) {
            fail(message.reply(), refusal);
            return;
          }
          TopicSubscription removed = subscriptions.remove(message.name());
          if (removed != null) {
            removed.end();
          }
          succeed(message.reply(), true);
        });
  }

  /** Commits rows of state; the reply comes on this actor's thread. */
  void save(String author, List<Change> changes, Reply reply) {
    save(author, () -> changes, reply);
  }

  /** Commits rows of state as they are when their commit is decided. */
  void save(String author, Supplier<List<Change>> changes, Reply reply) {
    progress.submit(
        new TopicCommand.SaveState(author, view -> changes.get()),
        (outcome, refusal) -> later(() -> reply.settle(outcome, refusal)));
  }
}
