package io.nucleusmem.memspace;

import java.time.Instant;

/**
 * A named revision of a space. Compaction does not pass it.
 *
 * @param at the instant that it stands for
 * @param by who set it
 * @param setAt when
 */
public record Bookmark(String name, long revision, Instant at, String by, Instant setAt) {}
