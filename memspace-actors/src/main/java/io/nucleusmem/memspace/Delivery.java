package io.nucleusmem.memspace;

/** A message delivered by a subscription, for the n-th time. */
public record Delivery(Message message, int delivery) {}
