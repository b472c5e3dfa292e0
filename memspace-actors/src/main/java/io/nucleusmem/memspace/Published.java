package io.nucleusmem.memspace;

/** The answer to a publication that is durable. */
public record Published(String id, long revision, long timestamp, boolean replayed) {}
