package io.nucleusmem.memspace;

import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KeyRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What is being erased: while it stands in a space's state, nothing that it covers is shown. One of
 * {@code keys}, {@code prefix} and {@code subject} is there.
 *
 * @param before store's time up to which versions are covered; 0 until the owner has decided it. A
 *     time, and not a revision: it means the same in the space, its topics and its forks
 * @param region of the keys or the prefix; null: of the prefix in all regions
 * @param subject covers every entry and message whose metadata says {@code subject} so
 */
record ErasureRule(
    String id,
    String by,
    String reason,
    long before,
    String region,
    List<String> keys,
    String prefix,
    String subject) {
  static final String SUBJECT = "subject";

  ErasureRule {
    keys = keys == null ? null : List.copyOf(keys);
  }

  ErasureRule upTo(long timestamp) {
    return new ErasureRule(id, by, reason, timestamp, region, keys, prefix, subject);
  }

  /** True if it covers a version. */
  boolean covers(EntryRef entry, long timestamp, Supplier<Map<String, String>> metadata) {
    boolean message = entry.region() == Region.COMM.code();
    if (timestamp > before && !(message && subject != null)) {
      return false;
    }
    if (subject != null) {
      Map<String, String> told = metadata.get();
      return subject.equals(told.get(SUBJECT)) && writtenAt(timestamp, told) <= before;
    }
    if (message || region != null && Region.ofLabel(region).code() != entry.region()) {
      return false; // messages are not entries of the space that have names
    }
    String name = entry.key().utf8();
    return prefix != null ? name.startsWith(prefix) : keys.contains(name);
  }

  /** A dead letter is as old as what it is a copy of. */
  private static long writtenAt(long timestamp, Map<String, String> metadata) {
    String original = metadata.get(DeadLetters.AT);
    try {
      return original == null ? timestamp : Math.min(timestamp, Long.parseLong(original));
    } catch (NumberFormatException e) {
      return timestamp; // somebody else's
    }
  }

  /** Where the versions lie that it may cover. */
  List<KeyRange> ranges(LedgerId id) {
    List<KeyRange> ranges = new ArrayList<>();
    for (Region each : Region.values()) {
      if (region != null && Region.ofLabel(region) != each) {
        continue;
      }
      if (keys == null) {
        ranges.add(LedgerKeys.versions(id, each.code(), Bytes.utf8(prefix == null ? "" : prefix)));
      } else {
        keys.forEach(
            key ->
                ranges.add(
                    LedgerKeys.versionsFrom(
                        id, new EntryRef(each.code(), Bytes.utf8(key)), Long.MAX_VALUE - 1)));
      }
    }
    return ranges;
  }
}
