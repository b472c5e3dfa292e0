package io.nucleusmem.receipts;

import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.ScanRequest;
import java.time.Duration;
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
