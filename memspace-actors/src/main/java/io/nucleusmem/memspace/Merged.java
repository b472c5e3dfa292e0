package io.nucleusmem.memspace;

/**
 * What a merge did.
 *
 * @param keys written to the base
 * @param revision of the base behind the last of them
 * @param parts commits that it took; with more than one it was not atomic: readers may have seen
 *     the first without the last
 */
public record Merged(int keys, long revision, int parts) {}
