package io.nucleusmem.agent;

import akka.cluster.Cluster;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.Recipients;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** The client of agents on one node. */
final class AgentsClient implements Agents {
  private final AgentCalls calls;
  private final Cluster cluster;
  private final AgentNode node;
  private final Reruns reruns;

  AgentsClient(AgentCalls calls, Cluster cluster, AgentNode node, Reruns reruns) {
    this.calls = calls;
    this.cluster = cluster;
    this.node = node;
    this.reruns = reruns;
  }

  @Override
  public Reruns reruns() {
    return reruns;
  }

  @Override
  public Recipients recipients() {
    return new AgentRecipients(cluster, node);
  }

  @Override
  public CompletionStage<List<AgentTypeInfo>> types() {
    return node.directory()
        .all()
        .thenApply(
            agents -> {
              List<AgentTypeInfo> infos = new ArrayList<>();
              AgentPlacement.hosts(cluster)
                  .forEach(
                      (type, nodes) -> {
                        int instances =
                            (int)
                                agents.stream().filter(agent -> agent.type().equals(type)).count();
                        infos.add(new AgentTypeInfo(type, instances, List.copyOf(nodes)));
                      });
              return infos;
            });
  }

  @Override
  public CompletionStage<AgentInfo> spawn(Principal caller, AgentSpec spec, WriteOptions options) {
    return checked(
        () -> {
          check(spec.type());
          if (!spec.id().matches(AgentSpec.ID) || spec.id().endsWith(Inboxes.DEAD)) {
            throw MemSpaceException.invalid(
                "id",
                spec.id(),
                "1 to 100 of [A-Za-z0-9._-], not starting with a dot, and not ending with .dead, which its inbox would share with another's dead letters");
          }
          checkMounts(spec.mounts());
          return node.directory()
              .add(spec, caller.name(), options.requestId())
              .thenCompose(
                  entered ->
                      host(caller, spec, entered)
                          .handle(
                              (info, failure) -> {
                                if (failure == null) {
                                  return CompletableFuture.completedFuture(info);
                                }
                                return withdrawn(spec.id(), entered, failure);
                              })
                          .thenCompose(stage -> stage));
        });
  }

  private CompletionStage<AgentInfo> host(
      Principal caller, AgentSpec spec, AgentDirectory.Entered entered) {
    return calls.change(
        spec.id(),
        entered,
        replyTo -> new AgentProtocol.Spawn(spec, caller.name(), caller.admin(), replyTo));
  }

  /**
   * A refused spawn leaves no entry; one of unknown outcome does, and its agent may yet come up.
   */
  private CompletableFuture<AgentInfo> withdrawn(
      String id, AgentDirectory.Entered entered, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    boolean refused = cause instanceof MemSpaceException known && !known.code().retryable();
    CompletionStage<Void> removed =
        refused ? node.directory().remove(id, entered) : CompletableFuture.completedFuture(null);
    return removed
        .<AgentInfo>thenCompose(done -> CompletableFuture.failedFuture(cause))
        .toCompletableFuture();
  }

  private void check(String type) {
    List<String> known = List.copyOf(AgentPlacement.hosts(cluster).keySet());
    if (!known.contains(type)) {
      throw new MemSpaceException(
          ErrorCode.UNKNOWN_AGENT_TYPE,
          "no node hosts agents of type [%s]; known are %s".formatted(type, known),
          Map.of("value", type, "accepted", known));
    }
  }

  private void checkMounts(List<AgentMount> mounts) {
    Set<String> spaces = new HashSet<>();
    for (AgentMount mount : mounts) {
      if (mount.space().equals(node.settings().space())) {
        throw MemSpaceException.invalid(
            "mounts.space", mount.space(), "a space other than the runtime's own");
      }
      if (!spaces.add(mount.space())) {
        throw MemSpaceException.invalid(
            "mounts.space", mount.space() + " twice", "each space once");
      }
    }
  }

  @Override
  public CompletionStage<Void> stop(Principal caller, String id) {
    return node.directory()
        .require(id)
        .thenCompose(
            entered ->
                calls
                    .change(id, entered, replyTo -> new AgentProtocol.Stop(caller, replyTo))
                    .handle((info, failure) -> failure)
                    .thenCompose(
                        failure -> {
                          Throwable cause =
                              failure instanceof CompletionException ? failure.getCause() : failure;
                          boolean gone =
                              cause == null
                                  || cause instanceof MemSpaceException known
                                      && known.code() == ErrorCode.AGENT_NOT_FOUND;
                          return gone
                              ? node.directory().remove(id, entered)
                              : CompletableFuture.<Void>failedFuture(cause);
                        }));
  }

  @Override
  public CompletionStage<Paged<AgentInfo>> list(
      Principal caller, int limit, Optional<String> cursor) {
    return node.directory()
        .page(limit, cursor)
        .thenCompose(
            page -> {
              CompletionStage<List<AgentInfo>> infos =
                  CompletableFuture.completedFuture(new ArrayList<>());
              for (AgentDirectory.Listed listed : page.items()) {
                infos =
                    infos.thenCombine(
                        calls
                            .ask(listed.type(), listed.id(), AgentProtocol.Describe::new)
                            .exceptionally(failure -> starting(listed)),
                        (list, info) -> {
                          list.add(info.toldTo(caller));
                          return list;
                        });
              }
              return infos.thenApply(list -> new Paged<>(list, page.revision(), page.next()));
            });
  }

  /** An agent in the directory whose host knows nothing yet, or can't be reached. */
  private static AgentInfo starting(AgentDirectory.Listed listed) {
    return new AgentInfo(
        listed.id(),
        listed.type(),
        listed.owner(),
        AgentInfo.State.STARTING,
        "",
        List.of(),
        0,
        Map.of(),
        Map.of());
  }

  @Override
  public CompletionStage<Paged<AgentAt>> at(
      Principal caller, Instant at, int limit, Optional<String> cursor) {
    return new PastAgents(node)
        .at(at, limit, cursor)
        .thenApply(
            page ->
                new Paged<>(
                    page.items().stream().map(agent -> agent.toldTo(caller)).toList(),
                    page.revision(),
                    page.next()));
  }

  @Override
  public CompletionStage<AgentInfo> describe(Principal caller, String id) {
    return node.directory()
        .require(id)
        .thenCompose(entered -> calls.ask(entered.type(), id, AgentProtocol.Describe::new))
        .thenApply(agent -> agent.toldTo(caller));
  }

  @Override
  public CompletionStage<Published> send(
      Principal caller, String id, Content content, WriteOptions options) {
    return node.directory()
        .require(id)
        .thenCompose(entered -> node.inboxes().send(caller.name(), id, content, options));
  }

  @Override
  public CompletionStage<AgentInfo> switchMounts(
      Principal caller, String id, List<AgentMount> mounts) {
    return checked(
        () -> {
          checkMounts(mounts);
          return node.directory()
              .require(id)
              .thenCompose(
                  entered ->
                      calls.change(
                          id,
                          entered,
                          replyTo -> new AgentProtocol.SwitchMounts(caller, mounts, replyTo)));
        });
  }

  @Override
  public CompletionStage<List<AgentInfo>> scale(
      Principal caller,
      String type,
      int instances,
      List<AgentMount> mounts,
      Map<String, String> config) {
    return checked(
        () -> {
          check(type);
          checkMounts(mounts);
          if (instances < 0 || instances > node.settings().scaleMax()) {
            throw MemSpaceException.invalid(
                "instances", instances, "0 to " + node.settings().scaleMax());
          }
          return node.directory()
              .all()
              .thenCompose(there -> scale(caller, type, instances, mounts, config, there));
        });
  }

  private CompletionStage<List<AgentInfo>> scale(
      Principal caller,
      String type,
      int instances,
      List<AgentMount> mounts,
      Map<String, String> config,
      List<AgentDirectory.Listed> there) {
    Set<String> ids = new HashSet<>();
    there.stream().filter(agent -> agent.type().equals(type)).forEach(agent -> ids.add(agent.id()));
    CompletionStage<Void> steps = CompletableFuture.completedFuture(null);
    List<Integer> tooHigh =
        ids.stream()
            .filter(id -> id.matches(java.util.regex.Pattern.quote(type) + "-[0-9]{1,9}"))
            .map(id -> Integer.parseInt(id.substring(type.length() + 1)))
            .filter(number -> number > instances)
            .sorted(Comparator.reverseOrder())
            .toList();
    for (int number : tooHigh) {
      steps = steps.thenCompose(done -> stop(caller, type + "-" + number));
    }
    List<AgentInfo> infos = new ArrayList<>();
    for (int number = 1; number <= instances; number++) {
      String id = type + "-" + number;
      steps =
          steps
              .thenCompose(
                  done -> ensure(caller, new AgentSpec(type, id, mounts, config), ids.contains(id)))
              .thenAccept(infos::add);
    }
    return steps.thenApply(done -> infos);
  }

  /**
   * An agent of that id and type, made if need be. Of two calls that scale at the same time, such
   * as one that is sent again, one finds what the other has just entered: the host takes the same
   * spawn twice.
   */
  private CompletionStage<AgentInfo> ensure(Principal caller, AgentSpec spec, boolean listed) {
    CompletionStage<AgentInfo> first = listed ? describe(caller, spec.id()) : spawn(caller, spec);
    ErrorCode other = listed ? ErrorCode.AGENT_NOT_FOUND : ErrorCode.AGENT_EXISTS;
    return first.exceptionallyCompose(
        failure -> {
          Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
          return cause instanceof MemSpaceException refused && refused.code() == other
              ? node.directory()
                  .require(spec.id())
                  .thenCompose(
                      entered ->
                          entered.type().equals(spec.type())
                              ? host(caller, spec, entered)
                              : CompletableFuture.failedStage(refused))
              : CompletableFuture.failedStage(failure);
        });
  }

  private static <T> CompletionStage<T> checked(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }
}
