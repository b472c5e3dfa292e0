package io.nucleusmem.node;

import io.nucleusmem.agent.AgentInfo;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentTypeInfo;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A node that hosts no agents. */
final class NoAgents implements Agents {
  @Override
  public CompletionStage<List<AgentTypeInfo>> types() {
    return CompletableFuture.completedStage(List.of());
  }

  @Override
  public CompletionStage<AgentInfo> spawn(Principal caller, AgentSpec spec) {
    return unknownType(spec.type());
  }

  @Override
  public CompletionStage<Void> stop(Principal caller, String id) {
    return absent(id);
  }

  @Override
  public CompletionStage<Paged<AgentInfo>> list(
      Principal caller, int limit, Optional<String> cursor) {
    return CompletableFuture.completedStage(new Paged<>(List.of(), 0, Optional.empty()));
  }

  @Override
  public CompletionStage<AgentInfo> describe(Principal caller, String id) {
    return absent(id);
  }

  @Override
  public CompletionStage<Published> send(
      Principal caller, String id, Content content, WriteOptions options) {
    return absent(id);
  }

  @Override
  public CompletionStage<AgentInfo> switchMounts(
      Principal caller, String id, List<AgentMount> mounts) {
    return absent(id);
  }

  @Override
  public CompletionStage<List<AgentInfo>> scale(
      Principal caller,
      String type,
      int instances,
      List<AgentMount> mounts,
      Map<String, String> config) {
    return unknownType(type);
  }

  private static <T> CompletionStage<T> unknownType(String type) {
    return CompletableFuture.failedStage(
        new MemSpaceException(
            ErrorCode.UNKNOWN_AGENT_TYPE,
            "no node of the cluster hosts agents of type [%s]; there are none".formatted(type),
            Map.of("value", type, "accepted", List.of())));
  }

  private static <T> CompletionStage<T> absent(String id) {
    return CompletableFuture.failedStage(
        new MemSpaceException(ErrorCode.AGENT_NOT_FOUND, "there is no agent [%s]".formatted(id)));
  }
}
