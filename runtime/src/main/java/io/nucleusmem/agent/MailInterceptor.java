package io.nucleusmem.agent;

import akka.actor.typed.Behavior;
import akka.actor.typed.BehaviorInterceptor;
import akka.actor.typed.TypedActorContext;
import akka.actor.typed.javadsl.Behaviors;
import java.util.function.Supplier;

/**
 * Lets an author's behavior take its messages out of mail, and tells the runtime when it has
 * handled one.
 */
final class MailInterceptor<M> extends BehaviorInterceptor<Object, M> {
  /**
   * A message on its way to the behavior.
   *
   * @param message made on the agent's thread, so that the author's function fails like his
   *     behavior does
   * @param begun called before, handled after the behavior has taken it
   */
  record Mail<M>(Supplier<M> message, Runnable begun, Runnable handled) {}

  /** What becomes of messages that are no mail: those that the actor sends to itself, say. */
  interface Others {
    /** False if it is kept, and comes later as mail. */
    boolean takes(Object message);

    /** The behavior has taken the one that was told last. */
    void handled();
  }

  private final Class<M> messages;
  private final Others others;

  MailInterceptor(Class<M> messages, Others others) {
    super(Object.class);
    this.messages = messages;
    this.others = others;
  }

  @Override
  public Behavior<M> aroundReceive(
      TypedActorContext<Object> context, Object any, ReceiveTarget<M> target) {
    if (any instanceof Mail<?> mail) {
      mail.begun().run();
      M message = messages.cast(mail.message().get());
      // null: the author wants no message of it
      Behavior<M> next = message == null ? Behaviors.same() : target.apply(context, message);
      mail.handled().run();
      return next;
    }
    if (!others.takes(any)) {
      return Behaviors.same();
    }
    Behavior<M> next = target.apply(context, messages.cast(any));
    others.handled();
    return next;
  }
}
