package io.nucleusmem.agent;

import akka.cluster.Cluster;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.Recipients;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The agents as the router sees them: the directory and the inboxes. */
final class AgentRecipients implements Recipients {
  private final Cluster cluster;
  private final AgentNode node;

  AgentRecipients(Cluster cluster, AgentNode node) {
    this.cluster = cluster;
    this.node = node;
  }

  @Override
  public CompletionStage<Boolean> exists(String agent) {
    if (!agent.matches(AgentSpec.ID)) {
      return CompletableFuture.completedFuture(false);
    }
    return node.directory()
        .require(agent)
        .handle(
            (entered, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof MemSpaceException refused
                  && refused.code() == ErrorCode.AGENT_NOT_FOUND) {
                return false;
              }
              if (cause != null) {
                throw new CompletionException(cause);
              }
              return true;
            });
  }

  @Override
  public boolean hosts(String type) {
    return AgentPlacement.hosts(cluster).containsKey(type);
  }

  @Override
  public CompletionStage<List<String>> instances(String type) {
    return node.directory()
        .all()
        .thenApply(
            all ->
                all.stream()
                    .filter(agent -> agent.type().equals(type))
                    .map(AgentDirectory.Listed::id)
                    .sorted()
                    .toList());
  }

  @Override
  public CompletionStage<Published> send(
      String sender, String agent, Content content, WriteOptions options) {
    return node.directory()
        .require(agent)
        .thenCompose(entered -> node.inboxes().send(sender, agent, content, options));
  }
}
