package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Extension;
import akka.actor.typed.ExtensionId;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The promises of this node whose answers come from others. A promise that leaves the node is kept
 * here under a number; where it arrives another stands for it, whose answer is sent back.
 */
final class Awaited implements Extension {
  /** Longest time that an answer is waited for; callers give up before. */
  private static final long WAIT_SECONDS_MAX = 60;

  private static final Id ID = new Id();

  /** What came of a promise of the node that it is sent to. */
  record Answer(long number, Object value, Throwable failure) {}

  private final ActorRefResolver refs;
  private final ActorRef<Answer> answers;
  private final String address;
  private final Map<Long, Promise<Object>> kept = new ConcurrentHashMap<>();
  private final AtomicLong numbers = new AtomicLong();

  private Awaited(ActorSystem<?> system) {
    refs = ActorRefResolver.get(system);
    answers =
        system.systemActorOf(
            Behaviors.receiveMessage(
                answer -> {
                  settle(answer);
                  return Behaviors.same();
                }),
            "nucleusmem-answers",
            Props.empty());
    address = refs.toSerializationFormat(answers);
  }

  static Awaited get(ActorSystem<?> system) {
    return ID.apply(system);
  }

  private void settle(Answer answer) {
    Promise<Object> promise = kept.remove(answer.number());
    if (promise != null && answer.failure() != null) {
      promise.future().completeExceptionally(answer.failure());
    } else if (promise != null) {
      promise.succeed(answer.value());
    }
  }

  /** Where the answer to a promise is to be sent: to this node, or on to where it came from. */
  @SuppressWarnings("unchecked") // the answer has the type that the question says
  Promise.Origin leaves(Promise<?> promise) {
    if (promise.origin() != null) {
      return promise.origin();
    }
    long number = numbers.incrementAndGet();
    kept.put(number, (Promise<Object>) promise);
    promise
        .future()
        .orTimeout(WAIT_SECONDS_MAX, TimeUnit.SECONDS)
        .whenComplete((value, failure) -> kept.remove(number));
    return new Promise.Origin(address, number);
  }

  /** The promise that stands here for one of another node; or that one, if it has come back. */
  Promise<?> arrives(Promise.Origin origin) {
    if (origin.node().equals(address)) {
      Promise<Object> own = kept.get(origin.number());
      return own == null ? new Promise<>() : own; // not awaited any more
    }
    Promise<Object> here = new Promise<>(origin);
    ActorRef<Answer> node = refs.resolveActorRef(origin.node());
    here.future()
        .whenComplete(
            (value, failure) ->
                node.tell(
                    new Answer(
                        origin.number(), value, failure == null ? null : Calls.explain(failure))));
    return here;
  }

  private static final class Id extends ExtensionId<Awaited> {
    @Override
    public Awaited createExtension(ActorSystem<?> system) {
      return new Awaited(system);
    }
  }
}
