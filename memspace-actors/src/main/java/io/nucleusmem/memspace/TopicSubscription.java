package io.nucleusmem.memspace;

import akka.actor.typed.javadsl.ActorContext;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Serves one durable subscription: pulls one after the other, acknowledgements written at most
 * every so often, redelivery, dead letters. Runs on its topic's thread.
 *
 * <p>At least once, always: a second delivery is counted durably before it is made, so a consumer
 * that crashes the node can't be fed for ever.
 */
final class TopicSubscription {
  private static final int WAITING_PULLS_MAX = 1_000;
  private static final int LOOK_AHEAD = 256;
  private static final Duration TICK_MIN = Duration.ofMillis(5);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final String AUTHOR = "subscription/";

  private record Waiting(Topic.Pull pull, long until) {}

  private final Topic topic;
  private final ActorContext<LedgerOwner.Message> context;
  private final TopicRows.Manifest manifest;
  private final Subscription state;
  private final DeadLetters deadLetters;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final List<Promise<Boolean>> unsaved = new ArrayList<>(); // acknowledged, not written yet
  private boolean fetching;
  private boolean saving;
  private long tickAt = System.nanoTime(); // when the next tick comes, if that is not past
  private boolean ended;
  private boolean caughtUp; // nothing new behind what was looked at
  private long savedAt = System.nanoTime() - Duration.ofDays(1).toNanos();

  TopicSubscription(
      Topic topic,
      ActorContext<LedgerOwner.Message> context,
      TopicRows.Manifest manifest,
      Subscription state) {
    this.topic = topic;
    this.context = context;
    this.manifest = manifest;
    this.state = state;
    this.deadLetters =
        new DeadLetters(
            topic.node(), topic.id(), manifest, state.name(), state.spec().deliveriesMax());
  }

  SubscriptionInfo info(boolean created) {
    return state.info(created);
  }

  boolean mayLeave() {
    return waiting.isEmpty()
        && !fetching
        && !saving
        && unsaved.isEmpty()
        && !state.hasDying()
        && !state.hasPending();
  }

  void end() {
    ended = true;
    waiting.forEach(each -> topic.succeed(each.pull().reply(), List.of()));
    waiting.clear();
    unsaved.forEach(each -> topic.succeed(each, true));
    unsaved.clear();
  }

  // ---- pulling ----

  void pull(Topic.Pull pull) {
    if (waiting.size() >= WAITING_PULLS_MAX) {
      topic.fail(
          pull.reply(),
          new MemSpaceException(
              ErrorCode.BUSY,
              "[%d] pulls wait on this subscription already".formatted(waiting.size())));
      return;
    }
    waiting.add(
        new Waiting(pull, System.nanoTime() + Duration.ofMillis(pull.waitMillis()).toNanos()));
    serve();
  }

  /** A commit came: there may be a message in it. */
  void somethingNew() {
    caughtUp = false;
    if (!waiting.isEmpty()) {
      topic.later(this::serve); // after the commit's answers
    }
  }

  private void serve() {
    while (!ended && !fetching && !waiting.isEmpty()) {
      dropAbandoned();
      Waiting first = waiting.peek();
      if (first == null) {
        return;
      }
      int max = Math.min(first.pull().max(), state.room());
      List<Long> again = max > 0 ? redeliverable(max) : List.of();
      if (!again.isEmpty()) {
        waiting.poll();
        countThenDeliver(first.pull(), again);
      } else if (max > 0 && !caughtUp) {
        fetch(max);
      } else if (first.until() - System.nanoTime() <= 0) {
        waiting.poll();
        topic.succeed(first.pull().reply(), List.of());
      } else {
        tickLater();
        return;
      }
    }
  }

  private void dropAbandoned() {
    waiting.removeIf(
        each -> each.pull().reply().future().isDone()); // timed out on the caller's side
  }

  /** Messages to deliver again; those that had their last chance go to the dead letters. */
  private List<Long> redeliverable(int max) {
    List<Long> again = new ArrayList<>();
    for (long revision : state.takeReady(max)) {
      if (state.isExhausted(revision)) {
        bury(revision);
      } else {
        again.add(revision);
      }
    }
    return again;
  }

  private void countThenDeliver(Topic.Pull pull, List<Long> revisions) {
    long now = System.nanoTime();
    List<Topic.Taken> taken = new ArrayList<>();
    revisions.forEach(
        revision -> taken.add(new Topic.Taken(revision, state.delivering(revision, now))));
    topic.save(
        AUTHOR + state.name(),
        this::row,
        (outcome, refusal) -> {
          if (refusal != null) {
            topic.fail(pull.reply(), refusal);
          } else {
            topic.succeed(pull.reply(), taken);
          }
          tickLater();
        });
  }

  private void fetch(int max) {
    fetching = true;
    long from = state.next();
    KeyRange all = LedgerKeys.versions(topic.id(), Region.COMM.code(), Bytes.EMPTY);
    KeyRange range = all.startingAt(LedgerKeys.versionsStart(topic.id(), TopicRows.message(from)));
    long newest = topic.ledger().committed();
    CompletionStage<List<Version>> read =
        topic
            .node()
            .reader(topic.id())
            .scan(range, newest, Math.max(max, LOOK_AHEAD), Direction.ASCENDING)
            .thenApply(page -> page.versions());
    context.pipeToSelf(
        read,
        (versions, failure) -> new LedgerOwner.Step(() -> fetched(versions, failure, max, newest)));
  }

  private void fetched(List<Version> versions, Throwable failure, int max, long newest) {
    fetching = false;
    if (ended) {
      return;
    }
    if (failure != null) {
      Waiting first = waiting.poll();
      if (first != null) {
        topic.fail(first.pull().reply(), Calls.explain(failure));
      }
      serve();
      return;
    }
    List<Topic.Taken> taken = new ArrayList<>();
    long now = System.nanoTime();
    long lookedAt = state.next() - 1;
    boolean full = false;
    dropAbandoned();
    boolean somebody = !waiting.isEmpty();
    for (Iterator<Version> all = versions.iterator(); somebody && all.hasNext() && !full; ) {
      Version version = all.next();
      boolean mine =
          version.to() == null
              || state.spec().to().isEmpty()
              || version.to().equals(state.spec().to().get());
      if (mine && !state.isDone(version.revision())) {
        if (taken.size() == max) {
          full = true;
          break;
        }
        taken.add(new Topic.Taken(version.revision(), state.delivering(version.revision(), now)));
      }
      lookedAt = version.revision();
    }
    if (somebody && !full && versions.size() < Math.max(max, LOOK_AHEAD)) {
      lookedAt = Math.max(lookedAt, newest);
      caughtUp = topic.ledger().committed() == newest;
    }
    state.lookedAt(lookedAt);
    if (!taken.isEmpty()) {
      topic.succeed(waiting.poll().pull().reply(), taken);
      tickLater();
    }
    serve();
  }

  // ---- settling ----

  void settle(Topic.Settle message) {
    if (!message.ack()) {
      state.nack(message.revisions());
      topic.succeed(message.reply(), true);
      buryExhausted();
      serve();
      return;
    }
    if (!state.ack(message.revisions(), topic.ledger().committed())) {
      topic.succeed(message.reply(), true);
      return;
    }
    unsaved.add(message.reply());
    long interval = topic.node().settings().ackInterval().toNanos();
    if (!saving && System.nanoTime() - savedAt >= interval) {
      saveAcks();
    } else {
      tickLater();
    }
    serve(); // there is room again
  }

  private void saveAcks() {
    saving = true;
    savedAt = System.nanoTime();
    List<Promise<Boolean>> written = new ArrayList<>(unsaved);
    unsaved.clear();
    topic.save(
        AUTHOR + state.name(),
        this::row,
        (outcome, refusal) -> {
          saving = false;
          for (Promise<Boolean> each : written) {
            if (refusal != null) {
              topic.fail(each, refusal);
            } else {
              topic.succeed(each, true);
            }
          }
          if (!unsaved.isEmpty()) {
            tickLater();
          }
        });
  }

  private List<Change> row() {
    return ended
        ? List.of()
        : List.of(
            new Change.OfState(
                TopicRows.subscriptionKey(state.name()), StateJson.encode(state.row())));
  }

  // ---- dead letters ----

  /** Given back for the last time: nobody has to pull for it to be buried. */
  private void buryExhausted() {
    List<Long> others = new ArrayList<>();
    for (long revision : state.takeReady(Subscription.PENDING_MAX)) {
      if (state.isExhausted(revision)) {
        bury(revision);
      } else {
        others.add(revision);
      }
    }
    state.putBack(others);
  }

  /** Publishes to the dead letters, under an id that makes it once, then lets go of the message. */
  private void bury(long revision) {
    if (!state.dying(revision)) {
      return;
    }
    context.pipeToSelf(
        deadLetters.bury(revision),
        (done, failure) -> new LedgerOwner.Step(() -> buried(revision, failure)));
  }

  private void buried(long revision, Throwable failure) {
    if (failure != null) {
      context
          .getLog()
          .warn(
              "dead letter {} of {} could not be published yet",
              revision,
              manifest.name(),
              failure);
      state.notBuried(revision);
      tickLater();
      return;
    }
    state.died(revision);
    if (!ended) {
      saveAcks();
    }
    serve();
  }

  // ---- time ----

  /**
   * Sees to it that the next thing that is due is done: a redelivery, a write of acknowledgements,
   * the end of a wait.
   */
  private void tickLater() {
    if (ended) {
      return;
    }
    long now = System.nanoTime();
    long due = state.nextDeadline(now);
    if (!unsaved.isEmpty()) {
      due = Math.min(due, savedAt + topic.node().settings().ackInterval().toNanos());
    }
    for (Waiting each : waiting) {
      due = Math.min(due, each.until());
    }
    if (state.hasReady() && waiting.isEmpty()) {
      due = Math.min(due, now + RETRY.toNanos()); // a dead letter that could not be published
    }
    long at = Math.max(due, now + TICK_MIN.toNanos());
    if (tickAt - now <= 0 || at < tickAt) {
      tickAt = at;
      topic
          .getContext()
          .scheduleOnce(
              Duration.ofNanos(at - now),
              topic.getContext().getSelf(),
              new LedgerOwner.Step(this::tick));
    }
  }

  private void tick() {
    if (ended) {
      return;
    }
    if (state.expire(System.nanoTime()) || state.hasReady()) {
      buryExhausted();
    }
    if (!unsaved.isEmpty()
        && !saving
        && System.nanoTime() - savedAt >= topic.node().settings().ackInterval().toNanos()) {
      saveAcks();
    }
    serve();
    if (state.hasPending() || !unsaved.isEmpty() || state.hasReady()) {
      tickLater();
    }
  }
}
