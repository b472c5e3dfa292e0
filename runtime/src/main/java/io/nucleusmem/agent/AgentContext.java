package io.nucleusmem.agent;

import akka.actor.typed.javadsl.ActorContext;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.routing.RegisteredRoute;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * What the runtime hands to an agent's author. Everything that happens arrives as a message of
 * {@code M}, one at a time, on the agent's own thread; the author says how by a function. Nothing
 * here blocks.
 *
 * <p>An agent keeps no state that has to survive: what it must know again it writes into a space,
 * and what it watches goes on from where it had got to, after a crash too. A signal or message that
 * may have been seen before is marked.
 *
 * <p>A signal or message is done when the behavior has taken it, what it wrote meanwhile is
 * answered, and the results that it awaits as messages ({@link #pipe}, {@link #ask}, {@link #call}
 * and the like) have been taken too; timers are not waited for. What is not done when the agent
 * crashes, stops or moves comes again, with what came behind it. A write that fails is answered: an
 * author who must not lose it pipes the answer, and writes again or throws.
 *
 * @param <M> the agent's messages
 */
public interface AgentContext<M> {
  /** The agent's id. */
  String id();

  /** The name of its type. */
  String type();

  /** What it was spawned with, by name. */
  Map<String, String> config();

  /** The actor behind the agent: timers, children, log, {@code getSelf()}. */
  ActorContext<M> actor();

  // ---- memory ----

  /**
   * A mounted space.
   *
   * @throws io.nucleusmem.memspace.MemSpaceException {@code MOUNT_REQUIRED} if it is not mounted
   */
  MountedSpace space(String name);

  /** The names of the spaces that are mounted: after a persona switch, others than before. */
  Set<String> spaces();

  /** Mounts a space, from now on and after a restart; the result arrives as a message. */
  void mount(String space, Access access, BiFunction<MountedSpace, Throwable, M> result);

  /** Gives a mount back. */
  void unmount(String space, BiFunction<Boolean, Throwable, M> result);

  /**
   * Brings the result of any stage back as a message: {@code ctx.pipe(ctx.space("s").get(key),
   * Msg.Got::new)}.
   */
  <T> void pipe(CompletionStage<T> stage, BiFunction<T, Throwable, M> result);

  /**
   * Watches a space. A name that was used before goes on behind the last signal that the agent has
   * handled; a new one begins with what the request says.
   *
   * @param name of the cursor, unique in the agent; in another space it begins anew
   */
  void watch(String name, String space, WatchRequest request, Function<Seen<Signal>, M> message);

  /**
   * Receives the messages of a topic that are for everybody or for this agent; the cursor is as for
   * a watch.
   */
  void subscribe(String name, String space, String topic, Function<Seen<Message>, M> message);

  // ---- others ----

  /** Writes a message into the inbox of another agent. */
  CompletionStage<Published> send(String agent, Content content);

  /** Answers a message that came by {@link #ask}; harmless for others. */
  CompletionStage<Published> reply(Message question, Content answer);

  /** Sends and waits for the answer, which arrives as a message; or the time-out does. */
  void ask(
      String agent, Content question, Duration timeout, BiFunction<Message, Throwable, M> answer);

  /**
   * Sends to whoever the semantic router picks.
   *
   * @return fails with {@link io.nucleusmem.memspace.MemSpaceException} where no router is
   *     configured
   */
  CompletionStage<Published> route(Content content);

  /**
   * Tells the router what this agent takes ("I take refunds"), from now on; the same again does no
   * harm. The message's conversation, if it has one, is its metadata {@code conversation}.
   *
   * @param name of the route, unique among all
   * @param all true: any agent of this type may take it
   * @param description one or a few sentences; may be empty if there are examples
   * @param examples utterances
   * @return fails with {@code NOT_OWNER} if somebody else has a route of this name
   */
  CompletionStage<RegisteredRoute> offer(
      String name, boolean all, String description, List<String> examples);

  /** Takes an offer back. */
  CompletionStage<Void> withdraw(String name);

  /**
   * Hands a conversation to another agent, which first gets the mounts that are named. From then on
   * the conversation's messages go there.
   *
   * @return the note in the other one's inbox; fails with {@code FORBIDDEN} for mounts that this
   *     agent does not have itself, or a conversation that is with somebody else
   */
  CompletionStage<Published> handOver(HandOver handOver);

  /**
   * Runs something where it may block, bounded; the result arrives as a message. A rerun does not
   * run it again and gives the same result, if that is plain: texts, numbers, truth values, bytes,
   * instants, durations, enum constants, and lists, sets, maps, optionals and records of such. Of
   * anything else, and of what it made of entries that it read in spaces, no copy is kept, and a
   * rerun says so: use {@link #steps} for that.
   */
  <T> void blocking(Callable<T> call, BiFunction<T, Throwable, M> result);

  /**
   * Calls a model or a tool as {@link #blocking} does, and records request (its hash) and reply: a
   * rerun gets this reply instead of calling again.
   *
   * @param name of the model or tool
   * @param request all that the reply depends on
   */
  void call(
      String name, String request, Callable<Reply> call, BiFunction<Reply, Throwable, M> result);

  /**
   * Runs steps of the behavior, one after the other, as {@link #blocking} does. They may wait for
   * what this agent's spaces answer, and for models and tools by {@link #callAndWait}. A rerun runs
   * them again, as it does the behavior, and plays back what they ask for; so they must not get
   * anything from elsewhere.
   */
  <T> void steps(Callable<T> steps, BiFunction<T, Throwable, M> result);

  /**
   * The same as {@link #call} inside of {@link #steps}: waits for the reply.
   *
   * @throws java.util.concurrent.CompletionException with a checked exception of the call; an
   *     unchecked one comes as it is
   */
  Reply callAndWait(String name, String request, Callable<Reply> call);

  // ---- what else a behavior may depend on: recorded, so that a rerun has the same ----

  /** The time of this node. */
  Instant now();

  /** A source of random numbers, new each time; its seed is recorded. */
  RandomGenerator random();

  /** Sends the agent a message after a while, unless its behavior has ended by then. */
  void schedule(String name, Duration delay, Supplier<M> message);

  /**
   * The answer of a model or tool.
   *
   * @param tokens that the model counted; 0: unknown
   */
  record Reply(String text, long tokens) {
    /** The answer of something that counts no tokens. */
    public static Reply of(String text) {
      return new Reply(text, 0);
    }
  }

  /**
   * Something delivered.
   *
   * @param redelivered true if it may have been seen before: the agent, or its node, ended in
   *     between
   */
  record Seen<T>(T what, boolean redelivered) {}
}
