package io.nucleusmem.routing;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The agents of the cluster as the router sees them. No call blocks. */
public interface Recipients {
  /** Whether there is an agent of this id. */
  CompletionStage<Boolean> exists(String agent);

  /** Whether a node can host agents of the type. */
  boolean hosts(String type);

  /** The ids of a type's agents, sorted. */
  CompletionStage<List<String>> instances(String type);

  /**
   * Writes into an agent's inbox; fails with {@code AGENT_NOT_FOUND}.
   *
   * @param sender whose message it is
   */
  CompletionStage<Published> send(
      String sender, String agent, Content content, WriteOptions options);
}
