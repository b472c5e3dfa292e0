package io.nucleusmem.examples.desk;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Duration;

/**
 * The agent that keeps the digest up to date: watches what is found, said and left out, and writes
 * a new version when something has changed, but not more often than it is told to.
 */
final class Editor extends AbstractBehavior<Editor.Message> {

  /** A version that took long to make is given so many times its time before the next. */
  private static final int PAUSE_FACTOR = 4;

  sealed interface Message {}

  /** Something that the digest is made of has changed. */
  record Changed(boolean digestItself) implements Message {}

  /** The pause between two versions is over. */
  record Due() implements Message {}

  /** A version is written, or was not needed. */
  record Written(Duration took, Throwable failure) implements Message {}

  static AgentType<Message> type(DeskSettings settings) {
    return AgentType.of(
        Desk.EDITOR,
        Message.class,
        agent -> Behaviors.setup(context -> new Editor(agent, settings.digestInterval())));
  }

  private final AgentContext<Message> agent;
  private final Duration interval;
  private final EditorSteps steps;
  private boolean busy; // writing, or pausing after it
  private boolean changed;

  private Editor(AgentContext<Message> agent, Duration interval) {
    super(agent.actor());
    this.agent = agent;
    this.interval = interval;
    this.steps = new EditorSteps(agent.space(Desk.SPACE));
    agent.watch(
        "results",
        Desk.SPACE,
        WatchRequest.of(Region.SUMMARY, ""),
        signal -> new Changed(signal.what().key().equals(Desk.DIGEST)));
    changed = true; // before a restart
    next();
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Changed.class, this::onChanged)
        .onMessage(Written.class, this::onWritten)
        .onMessage(Due.class, this::onDue)
        .build();
  }

  private Behavior<Message> onChanged(Changed message) {
    changed |= !message.digestItself();
    return next();
  }

  private Behavior<Message> onWritten(Written written) {
    if (written.failure() != null) {
      throw new IllegalStateException("cannot write the digest", written.failure());
    }
    Duration own = written.took().multipliedBy(PAUSE_FACTOR);
    agent.schedule("due", own.compareTo(interval) > 0 ? own : interval, Due::new);
    return this;
  }

  private Behavior<Message> onDue(Due due) {
    busy = false;
    return next();
  }

  private Behavior<Message> next() {
    if (changed && !busy) {
      busy = true;
      changed = false;
      agent.steps(
          () -> {
            long start = System.nanoTime();
            steps.update();
            return Duration.ofNanos(System.nanoTime() - start);
          },
          Written::new);
    }
    return this;
  }
}
