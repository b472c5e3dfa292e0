package io.nucleusmem.agent;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RoutedMessage;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.Routing.Routed;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What agents do with the router. */
public final class AgentRouting implements RouterHook {
  private final CompletableFuture<Routing> routing = new CompletableFuture<>();
  private final CompletableFuture<Agents> agents = new CompletableFuture<>();

  /** The router and the agents, which need each other. Until then, agents' calls wait. */
  public void started(Routing itsRouting, Agents itsAgents) {
    agents.complete(itsAgents);
    routing.complete(itsRouting);
  }

  @Override
  public CompletionStage<Published> route(String sender, Content content) {
    return routing
        .thenCompose(router -> router.route(RoutedMessage.of(sender, content)))
        .thenApply(Routed::published);
  }

  @Override
  public CompletionStage<RegisteredRoute> offer(String owner, Route route, Set<String> senders) {
    return routing.thenCompose(router -> router.routes().put(Principal.of(owner), route, senders));
  }

  @Override
  public CompletionStage<Void> withdraw(List<String> owners, String route) {
    return routing.thenCompose(
        router ->
            router
                .routes()
                .get(route, ReadAt.LATEST)
                .thenCompose(
                    found -> {
                      String owner = owners.contains(found.owner()) ? found.owner() : owners.get(0);
                      return router.routes().withdraw(Principal.of(owner), route);
                    }));
  }

  // ---- hand-over ----

  @Override
  public CompletionStage<Published> handOver(
      String agent, List<MountInfo> held, HandOver handOver) {
    for (AgentMount mount : handOver.mounts()) {
      if (held.stream().noneMatch(own -> covers(own, mount))) {
        return CompletableFuture.failedFuture(
            new MemSpaceException(
                ErrorCode.FORBIDDEN,
                "agent [%s] cannot hand over a %s mount of space [%s]: it has none itself that covers that"
                    .formatted(agent, mount.access().label(), mount.space())));
      }
    }
    return agents
        .thenCompose(all -> give(all, agent, handOver))
        .thenCombine(routing, (given, router) -> router)
        .thenCompose(
            router ->
                router.handOver(
                    agent,
                    handOver.to(),
                    handOver.conversation(),
                    handOver.mounts().stream()
                        .map(mount -> mount.space() + " (" + mount.access().label() + ")")
                        .toList(),
                    handOver.note()))
        .thenApply(Routed::published);
  }

  /** Gives the other agent what it does not have yet, in one step. */
  private static CompletionStage<AgentInfo> give(Agents agents, String from, HandOver handOver) {
    // what it may give away is looked at before; that the other one is somebody else's is no matter
    Principal caller = new Principal(AgentSpec.holder(from), true);
    return agents
        .describe(caller, handOver.to())
        .thenCompose(
            info -> {
              List<AgentMount> missing =
                  handOver.mounts().stream()
                      .filter(mount -> info.mounts().stream().noneMatch(own -> covers(own, mount)))
                      .toList();
              if (missing.isEmpty()) {
                return CompletableFuture.completedFuture(info);
              }
              List<AgentMount> all = new ArrayList<>(missing);
              for (MountInfo own : info.mounts()) {
                AgentMount kept = mountOf(own);
                AgentMount wider =
                    missing.stream()
                        .filter(mount -> mount.space().equals(own.space()))
                        .findFirst()
                        .orElse(null);
                if (wider == null) {
                  all.add(kept);
                } else if (!covers(wider, kept)) {
                  throw new MemSpaceException(
                      ErrorCode.INVALID_REQUEST,
                      "agent [%s] has space [%s] mounted otherwise; a hand-over only widens what the other one has"
                          .formatted(handOver.to(), own.space()));
                }
              }
              return agents.switchMounts(caller, handOver.to(), all);
            });
  }

  private static AgentMount mountOf(MountInfo mount) {
    return new AgentMount(
        mount.space(), mount.access(), mount.regions(), mount.prefixes(), mount.topics(), null);
  }

  private static boolean covers(MountInfo own, AgentMount wanted) {
    return covers(mountOf(own), wanted);
  }

  /** True if all that a mount allows is allowed by another one. */
  static boolean covers(AgentMount own, AgentMount wanted) {
    return own.space().equals(wanted.space())
        && (own.access() == Access.READ_WRITE
            || own.access() == wanted.access()
            || wanted.access() == Access.READ_ONLY)
        && (own.regions().isEmpty()
            || !wanted.regions().isEmpty() && own.regions().containsAll(wanted.regions()))
        && (own.topics().isEmpty()
            || !wanted.topics().isEmpty() && own.topics().containsAll(wanted.topics()))
        && (own.prefixes().isEmpty()
            || !wanted.prefixes().isEmpty()
                && wanted.prefixes().stream()
                    .allMatch(prefix -> own.prefixes().stream().anyMatch(prefix::startsWith)));
  }
}
