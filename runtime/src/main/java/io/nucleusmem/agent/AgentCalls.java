package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.cluster.Cluster;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityRef;
import io.nucleusmem.agent.AgentDirectory.Entered;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.agent.AgentProtocol.Info;
import io.nucleusmem.agent.AgentProtocol.Refused;
import io.nucleusmem.agent.AgentProtocol.Reply;
import io.nucleusmem.memspace.Calls;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Promise;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Asks the hosts of agents, wherever they are. One that gives no answer in time, or has died with
 * the question, is asked again, until the call's time is up.
 *
 * <p>So what changes an agent may be heard twice, and its host bears that: a spawn finds the agent
 * alive, a switch the mounts held, a stop nobody to stop. But a second try must not reach another
 * agent that has the id by then: it is made only while the directory's entry is that of the first.
 */
final class AgentCalls {
  /** The way to agents' hosts. */
  interface Hosts {
    /** True if some node hosts agents of the type now. */
    boolean any(String type);

    /** The host of an agent, which begins with the question if it is not there. */
    EntityRef<Command> of(String type, String id);
  }

  private final Hosts hosts;
  private final AgentDirectory directory;
  private final Calls calls;
  private final Duration callTimeout;

  /**
   * @param callTimeout that of the calls
   */
  AgentCalls(Hosts hosts, AgentDirectory directory, Calls calls, Duration callTimeout) {
    this.hosts = hosts;
    this.directory = directory;
    this.calls = calls;
    this.callTimeout = callTimeout;
  }

  /** Those that sharding finds. */
  static Hosts sharded(ClusterSharding sharding, Cluster cluster) {
    return new Hosts() {
      @Override
      public boolean any(String type) {
        return AgentPlacement.hosts(cluster).containsKey(type);
      }

      @Override
      public EntityRef<Command> of(String type, String id) {
        return sharding.entityRefFor(AgentHost.TYPE_KEY, AgentPlacement.entityId(type, id));
      }
    };
  }

  /** Asks what changes nothing. */
  CompletionStage<AgentInfo> ask(
      String type, String id, Function<ActorRef<Reply>, Command> question) {
    return call(type, id, (promise, again) -> send(type, id, question, promise));
  }

  /** Asks for a change of the agent that was entered so. */
  CompletionStage<AgentInfo> change(
      String id, Entered entered, Function<ActorRef<Reply>, Command> question) {
    String type = entered.type();
    return call(
        type,
        id,
        (promise, again) -> {
          if (!again) {
            send(type, id, question, promise);
            return;
          }
          directory
              .require(id)
              .whenComplete(
                  (found, failure) -> {
                    if (failure != null) {
                      promise.fail(asFailure(failure));
                    } else if (!found.equals(entered)) {
                      promise.fail(
                          new MemSpaceException(
                              ErrorCode.AGENT_NOT_FOUND,
                              "agent [%s] was stopped meanwhile; another has its id now"
                                  .formatted(id)));
                    } else {
                      send(type, id, question, unlessBusy(promise));
                    }
                  });
        });
  }

  private interface Attempt {
    void send(Promise<Reply> promise, boolean again);
  }

  private CompletionStage<AgentInfo> call(String type, String id, Attempt attempt) {
    if (!hosts.any(type)) {
      return CompletableFuture.failedFuture(
          new MemSpaceException(
              ErrorCode.UNAVAILABLE,
              "agent [%s] cannot be reached: no node hosts agents of type [%s] now"
                  .formatted(id, type)));
    }
    return calls
        .<Reply>call(attempt::send)
        .handle(
            (reply, failure) -> {
              if (failure != null) {
                MemSpaceException why = asFailure(failure);
                throw why.code() == ErrorCode.UNAVAILABLE
                    ? new MemSpaceException(
                        ErrorCode.UNAVAILABLE,
                        "agent [%s] gave no answer in [%s]; it is not known whether it was done"
                            .formatted(id, callTimeout))
                    : why;
              }
              if (reply instanceof Refused refused) {
                throw refused.toException();
              }
              return ((Info) reply).info();
            });
  }

  private void send(
      String type, String id, Function<ActorRef<Reply>, Command> question, Promise<Reply> promise) {
    hosts
        .of(type, id)
        .<Reply>ask(question::apply, callTimeout)
        .whenComplete(
            (reply, failure) -> promise.settle(reply, failure == null ? null : asFailure(failure)));
  }

  /** Of a second try, busy may mean with the first: that is to end before there is an answer. */
  private static Promise<Reply> unlessBusy(Promise<Reply> promise) {
    Promise<Reply> second = new Promise<>();
    second
        .future()
        .whenComplete(
            (reply, failure) -> {
              if (failure != null) {
                promise.fail(asFailure(failure));
              } else if (reply instanceof Refused refused && refused.code() == ErrorCode.BUSY) {
                promise.fail(refused.toException());
              } else {
                promise.succeed(reply);
              }
            });
    return second;
  }

  private static MemSpaceException asFailure(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof MemSpaceException known
        ? known
        : new MemSpaceException(ErrorCode.UNAVAILABLE, "no host could be reached: " + cause);
  }
}
