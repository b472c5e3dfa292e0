package io.nucleusmem.agent;

/** An agent as it was at an instant. */
public record AgentAt(String id, String type) {}
