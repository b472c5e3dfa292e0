package io.nucleusmem.memspace;

/**
 * How far a subscription is.
 *
 * @param cursor every message up to here is acknowledged or dead
 * @param pending delivered and not acknowledged
 * @param dead messages that went to the dead-letter topic
 * @param created true if the call that answers this has made it
 */
public record SubscriptionInfo(String name, long cursor, int pending, long dead, boolean created) {}
