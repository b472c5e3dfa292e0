package io.nucleusmem.examples.greeter;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;

/** Greets whoever writes to it, and keeps the guests' names in the space {@code guests}. */
public final class Greeter {
  record Told(AgentContext.Seen<Message> message) {}

  public static final AgentType<?> TYPE =
      AgentType.of("greeter", Told.class, Greeter::create).inbox(Told::new);

  private Greeter() {}

  private static Behavior<Told> create(AgentContext<Told> ctx) {
    return Behaviors.receiveMessage(
        told -> {
          Message message = told.message().what();
          String guest = message.content().text();
          // under the message's id: one that comes again after a crash writes nothing twice
          ctx.space("guests").put(EntryKey.of("greeted/" + message.id()), Content.text(guest));
          ctx.reply(message, Content.text("hello, " + guest));
          return Behaviors.same();
        });
  }
}
