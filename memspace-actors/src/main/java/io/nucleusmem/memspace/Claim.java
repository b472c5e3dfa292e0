package io.nucleusmem.memspace;

import java.time.Instant;

/**
 * A worker's hold on an entry, for a time.
 *
 * @param entry as it was claimed
 * @param token the revision of the claim: rises for ever, so it fences outside of the space too
 * @param expiresAt by the store's clock; expired is lost, even if nobody else has claimed since
 */
public record Claim(Entry entry, long token, Instant expiresAt) {}
