package io.nucleusmem.cluster;

import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;

/** Notes in the space {@code echoes} what it is told; hosted by processes that name this class. */
public final class Echo {
  sealed interface Heard {
    record Told(AgentContext.Seen<Message> message) implements Heard {}

    record Noted(String text, Throwable failure) implements Heard {}
  }

  public static final AgentType<?> TYPE =
      AgentType.of(
              "echo",
              Heard.class,
              context ->
                  Behaviors.receiveMessage(
                      heard -> {
                        if (heard instanceof Heard.Told told) {
                          note(context, told.message().what().content().text());
                        } else if (heard instanceof Heard.Noted noted && noted.failure() != null) {
                          note(context, noted.text());
                        }
                        return Behaviors.same();
                      }))
          .inbox(Heard.Told::new);

  private Echo() {}

  /** The message is not done before it is noted, so no crash of a node loses it. */
  private static void note(AgentContext<Heard> context, String text) {
    context.pipe(
        context.space("echoes").put(EntryKey.of(context.id() + "/" + text), Content.text("heard")),
        (written, failure) -> new Heard.Noted(text, failure));
  }
}
