package io.nucleusmem.memspace;

/**
 * A fork to be made.
 *
 * @param space the base
 * @param name of the fork, as of any space
 * @param at a revision (topics are taken at its time), an instant or a bookmark; {@link
 *     ReadAt#LATEST}: now
 */
public record ForkRequest(String space, String name, ReadAt at) {}
