package io.nucleusmem.agent;

import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.ReadAt;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Agents as they were: what the directory says of an instant, and which of the mounts that it names
 * held then by the logs of their spaces. So a mount is shown here if and only if the spaces show
 * it.
 */
final class PastAgents {
  private final AgentNode node;

  PastAgents(AgentNode node) {
    this.node = node;
  }

  /** A page of them, by id. */
  CompletionStage<Paged<AgentAt>> at(Instant at, int limit, Optional<String> cursor) {
    ReadAt then = ReadAt.instant(at);
    return node.directory()
        .page(then, limit, cursor)
        .thenCompose(
            page ->
                ran(page.items(), then)
                    .thenCompose(ran -> agents(page.items(), ran, at))
                    .thenApply(agents -> new Paged<>(agents, page.revision(), page.next())));
  }

  private CompletionStage<Map<String, AgentDirectory.Runs>> ran(
      List<AgentDirectory.Listed> agents, ReadAt then) {
    CompletionStage<Map<String, AgentDirectory.Runs>> all =
        CompletableFuture.completedStage(new LinkedHashMap<>());
    for (AgentDirectory.Listed agent : agents) {
      all =
          all.thenCombine(
              node.directory().ran(agent.id(), then),
              (found, runs) -> {
                runs.ifPresent(each -> found.put(agent.id(), each));
                return found;
              });
    }
    return all;
  }

  private CompletionStage<List<AgentAt>> agents(
      List<AgentDirectory.Listed> agents, Map<String, AgentDirectory.Runs> ran, Instant at) {
    Set<String> named = new LinkedHashSet<>();
    ran.values().forEach(runs -> named.addAll(runs.mounts()));
    return node.spaces()
        .cuts()
        .held(named, at)
        .thenApply(
            held -> {
              Map<String, MountInfo> mounts =
                  held.stream().collect(Collectors.toMap(MountInfo::id, Function.identity()));
              return agents.stream()
                  .map(agent -> agent(agent, Optional.ofNullable(ran.get(agent.id())), mounts))
                  .toList();
            });
  }

  private static AgentAt agent(
      AgentDirectory.Listed agent,
      Optional<AgentDirectory.Runs> runs,
      Map<String, MountInfo> held) {
    return new AgentAt(
        agent.id(),
        agent.type(),
        agent.owner(),
        runs.isPresent() ? AgentInfo.State.RUNNING : AgentInfo.State.STARTING,
        runs.map(AgentDirectory.Runs::node),
        runs.map(AgentDirectory.Runs::mounts).orElse(List.of()).stream()
            .filter(held::containsKey)
            .map(held::get)
            .filter(mount -> mount.holder().equals(AgentSpec.holder(agent.id())))
            .toList(),
        agent.config());
  }
}
