package io.nucleusmem.routing;

/** Where a route leads. */
public sealed interface Target {

  /** The inbox of one agent. */
  record Agent(String id) implements Target {}

  /** The inbox of one of the instances of a type. */
  record AgentType(String type) implements Target {}

  /** A topic of a space. */
  record Topic(String space, String topic) implements Target {}
}
