package io.nucleusmem.examples.helpdesk;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import java.util.List;

/**
 * Tells the router what it takes when it starts, and takes what the router brings: each ticket
 * becomes an entry {@code taken/AGENT/TICKET} of the help desk's space.
 *
 * <p>A ticket that comes a second time, after a crash, overwrites its own entry: nothing is counted
 * twice.
 */
final class Specialist {
  static final String SPACE = "helpdesk";
  static final String TAKEN = "taken/";

  /** What it is about, as configured: one sentence. */
  static final String ABOUT = "about";

  /** Utterances, one per line. */
  static final String EXAMPLES = "examples";

  static final AgentType<Told> TYPE =
      AgentType.of("specialist", Told.class, Specialist::create)
          .inbox(seen -> new Told.Ticket(seen.what()));

  private Specialist() {}

  /** What a specialist is told. */
  sealed interface Told {
    record Ticket(Message message) implements Told {}

    record Done(Object what, Throwable failure) implements Told {}
  }

  private static Behavior<Told> create(AgentContext<Told> agent) {
    agent.pipe(
        agent.offer(
            agent.id(),
            false,
            agent.config().get(ABOUT),
            List.of(agent.config().get(EXAMPLES).split("\n"))),
        Told.Done::new);
    return Behaviors.receive(Told.class)
        .onMessage(Told.Ticket.class, ticket -> take(agent, ticket.message()))
        .onMessage(Told.Done.class, done -> done(agent, done))
        .build();
  }

  private static Behavior<Told> take(AgentContext<Told> agent, Message ticket) {
    EntryKey key = EntryKey.of(TAKEN + agent.id() + "/" + ticket.revision());
    agent.pipe(agent.space(SPACE).put(key, Content.text(ticket.content().text())), Told.Done::new);
    return Behaviors.same();
  }

  /** What failed is tried again by starting again: the ticket comes again, marked. */
  private static Behavior<Told> done(AgentContext<Told> agent, Told.Done done) {
    if (done.failure() != null) {
      throw new IllegalStateException("specialist [" + agent.id() + "] failed", done.failure());
    }
    return Behaviors.same();
  }
}
