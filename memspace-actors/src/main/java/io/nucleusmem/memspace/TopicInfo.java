package io.nucleusmem.memspace;

/**
 * What a topic is.
 *
 * @param revision its newest message's; 0: none yet
 * @param subscriptions number of durable ones
 */
public record TopicInfo(String name, long revision, int subscriptions) {}
