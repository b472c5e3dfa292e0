package io.nucleusmem.receipts;

import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.SubscriptionSpec;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Hashes of what is asked for: a rerun finds the answer of the same question by it. */
final class Requests {
  private Requests() {}

  static long get(EntryKey key, ReadAt at) {
    return Hashes.of(key, past(at));
  }

  /** Which past was asked for; how fresh the present has to be makes no difference later. */
  private static String past(ReadAt at) {
    return isPast(at) ? at.toString() : "now";
  }

  static boolean isPast(ReadAt at) {
    return at instanceof ReadAt.AtRevision || at instanceof ReadAt.AtInstant;
  }

  static long pull(EntryKey key, long revision) {
    return Hashes.of(key, revision);
  }

  static long scan(ScanRequest request) {
    return Hashes.of(
        request.region(),
        request.prefix(),
        past(request.at()),
        request.direction(),
        request.values(),
        request.limit(),
        request.cursor());
  }

  static long history(EntryKey key, int limit, Optional<String> cursor) {
    return Hashes.of(key, limit, cursor);
  }

  static long claim(EntryKey prefix, String worker, Duration lease, int max) {
    return Hashes.of(prefix, worker, lease, max);
  }

  static long renew(EntryKey key, long token, Duration lease) {
    return Hashes.of("renew", key, token, lease);
  }

  static long release(EntryKey key, long token) {
    return Hashes.of("release", key, token);
  }

  static long topics(int limit, Optional<String> cursor) {
    return Hashes.of("topics", limit, cursor);
  }

  static long subscription(String topic, String name, Optional<SubscriptionSpec> spec) {
    return Hashes.of("subscription", topic, name, spec);
  }

  static long ack(String topic, String subscription, List<Long> revisions) {
    return Hashes.of("acknowledged", topic, subscription, List.copyOf(revisions));
  }

  static long topic(String name) {
    return Hashes.of("topic", name);
  }

  /** What is watched; where it begins is told by what it brought. Never 0. */
  static long watch(WatchRequest request) {
    return Hashes.of("watch", request.region(), request.prefix(), request.values()) | 1L << 63;
  }

  static long watch(String topic, Optional<String> to, boolean values) {
    return Hashes.of("watch of a topic", topic, to, values) | 1L << 63;
  }

  static long message(String topic, long revision) {
    return Hashes.of(topic, revision);
  }

  static long fetch(String topic, MessageRange range) {
    return Hashes.of(topic, range);
  }

  static long pull(String topic, String subscription, int max) {
    return Hashes.of(topic, subscription, max);
  }
}
