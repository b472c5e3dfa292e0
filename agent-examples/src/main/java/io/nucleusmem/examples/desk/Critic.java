package io.nucleusmem.examples.desk;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.examples.desk.Desk.Finished;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/**
 * The agent that judges results, one after the other, as their analysts tell it. The pile of
 * results that wait is in the space: it looks there at the start and now and then, for what a
 * message that never left would have told.
 */
final class Critic extends AbstractBehavior<Critic.Message> {

  private static final int HEARD_MAX = 1_000; // what is beyond is found on the pile

  sealed interface Message {}

  /** A message of the topic of reviews: a result is there; none for other kinds. */
  record Heard(Optional<Finished> finished) implements Message {}

  /** Time to look at the pile. */
  record Look() implements Message {}

  /** A result is judged, or the pile is. */
  record Judged(Boolean done, Throwable failure) implements Message {}

  static AgentType<Message> type(DeskSettings settings) {
    return AgentType.of(
        Desk.CRITIC,
        Message.class,
        agent -> Behaviors.setup(context -> new Critic(agent, settings.lease())));
  }

  private final AgentContext<Message> agent;
  private final Duration pause; // between two looks at the pile
  private final CriticSteps steps;
  private final Queue<Finished> heard = new ArrayDeque<>();
  private boolean judging;

  private Critic(AgentContext<Message> agent, Duration pause) {
    super(agent.actor());
    this.agent = agent;
    this.pause = pause;
    this.steps = new CriticSteps(agent.space(Desk.SPACE));
    agent.subscribe(
        "review",
        Desk.SPACE,
        Desk.REVIEW_TOPIC,
        message ->
            new Heard(
                Optional.of(message.what().content())
                    .filter(content -> Desk.isMessage(content, Finished.class))
                    .map(content -> Desk.read(content, Finished.class))));
    look();
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Heard.class, this::onHeard)
        .onMessage(Look.class, this::onLook)
        .onMessage(Judged.class, this::onJudged)
        .build();
  }

  private Behavior<Message> onHeard(Heard message) {
    if (heard.size() < HEARD_MAX) {
      message.finished().ifPresent(heard::add);
    }
    return next();
  }

  private Behavior<Message> onLook(Look look) {
    look();
    return this;
  }

  private void look() {
    agent.schedule("look", pause, Look::new);
    if (!judging) {
      judging = true;
      agent.steps(
          () -> {
            steps.judgeWaiting();
            return true;
          },
          Judged::new);
    }
  }

  private Behavior<Message> onJudged(Judged judged) {
    if (judged.failure() != null) {
      throw new IllegalStateException("cannot judge a result", judged.failure());
    }
    judging = false;
    return next();
  }

  private Behavior<Message> next() {
    if (!judging && !heard.isEmpty()) {
      judging = true;
      Finished finished = heard.remove();
      agent.steps(
          () -> steps.judge(finished.path(), finished.hash(), finished.round()).isPresent(),
          Judged::new);
    }
    return this;
  }
}
