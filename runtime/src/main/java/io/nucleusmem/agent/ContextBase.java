package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.ActorContext;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.receipts.Failures;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * What a life's context and a rerun's do alike. What is asked for and arrives later has a number in
 * both; each method below that takes one takes just one, so that the numbers agree.
 *
 * @param <Q> names something that was asked for
 */
abstract class ContextBase<M, Q> implements AgentContext<M> {
  private final String id;
  private ActorContext<M> actor;

  ContextBase(String id) {
    this.id = id;
  }

  final void bind(ActorContext<M> itsActor) {
    actor = itsActor;
  }

  /** The next that is asked for, while what is being handled now is. */
  abstract Q question();

  /** Makes the message on the agent's own thread, in a turn of its own. */
  abstract void tell(Q asked, Supplier<M> message);

  abstract Map<String, ? extends MountedSpace> mounted();

  /** The actor's mailbox, which takes mail. */
  final ActorRef<Object> self() {
    return actor.getSelf().unsafeUpcast();
  }

  @Override
  public final String id() {
    return id;
  }

  @Override
  public final ActorContext<M> actor() {
    return actor;
  }

  @Override
  public MountedSpace space(String name) {
    MountedSpace space = mounted().get(name);
    if (space == null) {
      throw new MemSpaceException(
          ErrorCode.MOUNT_REQUIRED,
          "agent [%s] has not mounted space [%s]; it has %s"
              .formatted(id, name, mounted().keySet()));
    }
    return space;
  }

  @Override
  public final Set<String> spaces() {
    return mounted().keySet();
  }

  @Override
  public final <T> void pipe(CompletionStage<T> stage, BiFunction<T, Throwable, M> result) {
    pipe(question(), stage, result);
  }

  <T> void pipe(Q asked, CompletionStage<T> stage, BiFunction<T, Throwable, M> result) {
    stage.whenComplete(
        (value, failure) -> tell(asked, () -> result.apply(value, Failures.unwrap(failure))));
  }

  @Override
  public final CompletionStage<Published> reply(Message question, Content answer) {
    String ask = question.content().metadata().get(Inboxes.ASK);
    Map<String, String> metadata = new HashMap<>(answer.metadata());
    if (ask != null) {
      metadata.put(Inboxes.ANSWER, ask);
    }
    String prefix = AgentSpec.holder("");
    if (!question.sender().startsWith(prefix)) {
      return CompletableFuture.failedFuture(
          new MemSpaceException(
              ErrorCode.AGENT_NOT_FOUND,
              "the message came from [%s], which is no agent and has no inbox"
                  .formatted(question.sender())));
    }
    return send(question.sender().substring(prefix.length()), answer.withMetadata(metadata));
  }
}
