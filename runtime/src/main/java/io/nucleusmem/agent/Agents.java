package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.Recipients;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * The agents of a cluster. No call blocks. Stages fail with {@link
 * io.nucleusmem.memspace.MemSpaceException}: {@code AGENT_NOT_FOUND}, {@code AGENT_EXISTS}, {@code
 * UNKNOWN_AGENT_TYPE} …
 */
public interface Agents {
  /** Metadata that tie an answer to its question: who sends from outside may not give them. */
  Set<String> RESERVED_METADATA = Set.of(Inboxes.ASK, Inboxes.ANSWER);

  /** The same agents as the router sees them. */
  Recipients recipients();

  /** Agents run again, on this node. */
  Reruns reruns();

  /** The types that can be hosted. */
  CompletionStage<List<AgentTypeInfo>> types();

  /**
   * Spawns an agent. Completed when it has its mounts and runs. It acts for the caller: what he may
   * not mount, it may not.
   */
  default CompletionStage<AgentInfo> spawn(Principal caller, AgentSpec spec) {
    return spawn(caller, spec, WriteOptions.DEFAULT);
  }

  /**
   * The same under a request id: sent again, to whatever node, as long as the agent is there, it
   * spawns no other and is not refused with {@code AGENT_EXISTS}.
   */
  CompletionStage<AgentInfo> spawn(Principal caller, AgentSpec spec, WriteOptions options);

  /**
   * Stops an agent for good: its mounts are released, its inbox stays. For who spawned it and for
   * administrators, else {@code FORBIDDEN}; so is spawning another one under its id.
   */
  CompletionStage<Void> stop(Principal caller, String id);

  /** A page of the agents, by id. */
  CompletionStage<Paged<AgentInfo>> list(Principal caller, int limit, Optional<String> cursor);

  /** A page of the agents that there were at an instant, by id, with what they had mounted. */
  CompletionStage<Paged<AgentAt>> at(
      Principal caller, Instant at, int limit, Optional<String> cursor);

  /** What an agent is. */
  CompletionStage<AgentInfo> describe(Principal caller, String id);

  /** Writes a message into an agent's inbox. */
  CompletionStage<Published> send(
      Principal caller, String id, Content content, WriteOptions options);

  /**
   * The persona switch: another set of mounts, in one step. New ones are acquired, the set is
   * recorded, old ones are released; a crash in between is finished on restart. The behavior begins
   * anew with what it has then. For who spawned it and for administrators, else {@code FORBIDDEN}.
   */
  CompletionStage<AgentInfo> switchMounts(Principal caller, String id, List<AgentMount> mounts);

  /** Brings a type to n instances, named TYPE-1 to TYPE-n; those above n stop, highest first. */
  CompletionStage<List<AgentInfo>> scale(
      Principal caller,
      String type,
      int instances,
      List<AgentMount> mounts,
      Map<String, String> config);
}
