package io.nucleusmem.agent;

import akka.actor.typed.Behavior;
import io.nucleusmem.memspace.Message;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * A kind of agent that a node can host.
 *
 * @param name 1 to 64 of {@code [A-Za-z0-9_-]}
 * @param messages class of the agent's messages
 * @param behavior makes the behavior of one agent; called again after a crash
 * @param inbox turns a message of the agent's inbox into one of its own; empty: the type takes no
 *     messages, and what is written to its inbox stays there
 */
public record AgentType<M>(
    String name,
    Class<M> messages,
    Function<AgentContext<M>, Behavior<M>> behavior,
    Optional<Function<AgentContext.Seen<Message>, M>> inbox) {

  public AgentType {
    Objects.requireNonNull(messages, "messages");
    Objects.requireNonNull(behavior, "behavior");
    if (!name.matches("[A-Za-z0-9_-]{1,64}")) {
      throw new IllegalArgumentException(
          "agent type is [%s]; it must be 1 to 64 of [A-Za-z0-9_-]".formatted(name));
    }
  }

  /** A type that takes no messages. */
  public static <M> AgentType<M> of(
      String name, Class<M> messages, Function<AgentContext<M>, Behavior<M>> behavior) {
    return new AgentType<>(name, messages, behavior, Optional.empty());
  }

  /** The same, taking what is written to its inbox. */
  public AgentType<M> inbox(Function<AgentContext.Seen<Message>, M> adapter) {
    return new AgentType<>(name, messages, behavior, Optional.of(adapter));
  }
}
