package io.nucleusmem.agent;

import java.util.List;

/** A type of agent: how many there are, and which nodes can host it. */
public record AgentTypeInfo(String type, int instances, List<String> nodes) {
  public AgentTypeInfo {
    nodes = List.copyOf(nodes);
  }
}
