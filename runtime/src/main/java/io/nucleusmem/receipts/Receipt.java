package io.nucleusmem.receipts;

import java.time.Instant;

/**
 * That a version was delivered to an agent.
 *
 * @param at when it was recorded, which is before it was delivered
 * @param life of the agent that got it, unique
 * @param seq place in that life, from 1
 * @param space its name at that time
 * @param mount id of the mount through which it came
 * @param confirmed false: it was offered, and nothing shows that the behavior has got it before it
 *     ended
 */
public record Receipt(
    Instant at,
    String agent,
    String life,
    long seq,
    String space,
    SeenVersion version,
    How how,
    String mount,
    boolean confirmed) {}
