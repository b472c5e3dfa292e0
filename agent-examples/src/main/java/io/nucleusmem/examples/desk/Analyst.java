package io.nucleusmem.examples.desk;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.examples.desk.Desk.Finished;
import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * An agent that analyses documents, one at a time; any number of them share the queue.
 *
 * <p>{@code idle --Look--> claiming --Claimed--> working --Worked--> claiming}; where there is
 * nothing to claim it is idle again.
 */
final class Analyst extends AbstractBehavior<Analyst.Message> {

  sealed interface Message {}

  /** There may be something to claim: a signal, the critic's word. */
  record Look() implements Message {}

  /** A lease may have run out: look, and again later. */
  record LookAgain() implements Message {}

  /** The answer to a claim. */
  record Claimed(List<Claim> claims, Throwable failure) implements Message {}

  /** A sign of life is due, if the claim with this token is still held. */
  record Renew(long token) implements Message {}

  /** The answer to a sign of life. */
  record Renewed(Throwable failure) implements Message {}

  /** An analysis is over; empty if there was nothing to do or the claim was lost. */
  record Worked(Optional<Finished> finished, Throwable failure) implements Message {}

  static AgentType<Message> type(DeskSettings settings, Analysis analysis) {
    return AgentType.of(
        Desk.ANALYST,
        Message.class,
        agent -> Behaviors.setup(context -> new Analyst(agent, settings.lease(), analysis)));
  }

  private final AgentContext<Message> agent;
  private final Duration lease;
  private final MountedSpace space;
  private final AnalystSteps steps;
  private boolean busy;
  private boolean lookAgain;
  private Claim claim; // held while working

  private Analyst(AgentContext<Message> agent, Duration lease, Analysis analysis) {
    super(agent.actor());
    this.agent = agent;
    this.lease = lease;
    this.space = agent.space(Desk.SPACE);
    this.steps = new AnalystSteps(space, Tool.recorded(agent, analysis), agent.id(), lease);
    agent.watch(
        "queue", Desk.SPACE, WatchRequest.of(Region.TASK, Desk.QUEUE), signal -> new Look());
    agent.subscribe("review", Desk.SPACE, Desk.REVIEW_TOPIC, message -> new Look());
    agent.schedule("look", lease.dividedBy(2), LookAgain::new);
    busy = true;
    agent.steps(
        () -> {
          steps.tellUnjudged();
          return Optional.empty();
        },
        Worked::new);
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Look.class, this::onLook)
        .onMessage(LookAgain.class, this::onLookAgain)
        .onMessage(Claimed.class, this::onClaimed)
        .onMessage(Renew.class, this::onRenew)
        .onMessage(Renewed.class, this::onRenewed)
        .onMessage(Worked.class, this::onWorked)
        .build();
  }

  private Behavior<Message> onLook(Look look) {
    lookAgain = busy;
    if (!busy) {
      busy = true;
      agent.pipe(space.claim(EntryKey.task(Desk.QUEUE), agent.id(), lease, 1), Claimed::new);
    }
    return this;
  }

  private Behavior<Message> onLookAgain(LookAgain look) {
    agent.schedule("look", lease.dividedBy(2), LookAgain::new);
    return onLook(new Look());
  }

  private Behavior<Message> onClaimed(Claimed claimed) {
    failOn(claimed.failure());
    if (claimed.claims().isEmpty()) {
      busy = false;
      return lookAgain ? onLook(new Look()) : this;
    }
    claim = claimed.claims().get(0);
    Claim taken = claim;
    renewLater();
    agent.steps(() -> steps.work(taken), Worked::new);
    return this;
  }

  private void renewLater() {
    long token = claim.token();
    agent.schedule("renew", lease.dividedBy(3), () -> new Renew(token));
  }

  private Behavior<Message> onRenew(Renew renew) {
    if (claim != null && claim.token() == renew.token()) {
      agent.pipe(
          space.renew(claim.entry().key(), claim.token(), lease),
          (renewed, failure) -> new Renewed(failure));
    }
    return this;
  }

  private Behavior<Message> onRenewed(Renewed renewed) {
    if (renewed.failure() == null && claim != null) {
      renewLater();
    }
    return this; // lost or done meanwhile: its token decides what may still be written
  }

  private Behavior<Message> onWorked(Worked worked) {
    failOn(worked.failure());
    claim = null;
    busy = false;
    return onLook(new Look());
  }

  /** Ends this life; the runtime starts the next one after a pause, and the lease runs out. */
  private static void failOn(Throwable failure) {
    if (failure != null) {
      throw new IllegalStateException("cannot go on with the queue", failure);
    }
  }
}
