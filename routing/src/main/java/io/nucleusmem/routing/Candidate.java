package io.nucleusmem.routing;

/**
 * A route that a text may belong to.
 *
 * @param score from 0 to 1
 */
public record Candidate(String route, double score) {}
