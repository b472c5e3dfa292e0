package io.nucleusmem.memspace;

import java.time.Instant;

/**
 * Where a fork comes from.
 *
 * @param space name of the base
 * @param revision of the base that the fork begins with; the fork's own revisions follow it
 * @param at the instant at which the fork takes the base's topics
 */
public record ForkBase(String space, long revision, Instant at) {}
