package io.nucleusmem.ledger;

/**
 * A command that is settled.
 *
 * @param revision of the command; of the newest commit it was decided against if it changed nothing
 * @param record what it changed, with the bodies
 * @param replayed true if an earlier request with the same id had been applied: this is what it did
 */
public record Outcome(long revision, long timestamp, LogRecord record, boolean replayed) {}
