package io.nucleusmem.examples.bench;

import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;

/** Notes in the space {@code echoes} what it is told; hosted by the nodes of {@link Failover}. */
public final class BenchEcho {
  record Told(AgentContext.Seen<Message> message) {}

  public static final AgentType<?> TYPE =
      AgentType.of(
              "echo",
              Told.class,
              context ->
                  Behaviors.receiveMessage(
                      told -> {
                        String text = told.message().what().content().text();
                        context
                            .space("echoes")
                            .put(EntryKey.of(context.id() + "/" + text), Content.text("heard"));
                        return Behaviors.same();
                      }))
          .inbox(Told::new);

  private BenchEcho() {}
}
