package io.nucleusmem.examples.desk;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.examples.desk.Desk.Intake;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.WatchRequest;
import java.util.Optional;

/** The agent that puts documents on the desk: watches for orders and carries them out. */
final class Reader extends AbstractBehavior<Reader.Message> {

  sealed interface Message {}

  /** There may be an order. */
  record Look() implements Message {}

  /** An order is carried out; none if there was none. */
  record Done(Optional<Intake> intake, Throwable failure) implements Message {}

  static AgentType<Message> type() {
    return AgentType.of(
        Desk.READER, Message.class, agent -> Behaviors.setup(context -> new Reader(agent)));
  }

  private final AgentContext<Message> agent;
  private final ReaderSteps steps;
  private boolean reading;
  private boolean lookAgain;

  private Reader(AgentContext<Message> agent) {
    super(agent.actor());
    this.agent = agent;
    this.steps = new ReaderSteps(agent.space(Desk.SPACE));
    agent.watch(
        "orders",
        Desk.SPACE,
        WatchRequest.of(Region.MEMORY, Desk.ORDER.name()),
        signal -> new Look());
    agent.actor().getSelf().tell(new Look()); // an order that was not finished before a restart
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Look.class, this::onLook)
        .onMessage(Done.class, this::onDone)
        .build();
  }

  private Behavior<Message> onLook(Look look) {
    lookAgain = reading;
    if (!reading) {
      reading = true;
      agent.blocking(() -> steps.openOrder().map(steps::carryOut), Done::new);
    }
    return this;
  }

  private Behavior<Message> onDone(Done done) {
    if (done.failure() != null) {
      throw new IllegalStateException("cannot carry out the order", done.failure());
    }
    reading = false;
    return lookAgain ? onLook(new Look()) : this;
  }
}
