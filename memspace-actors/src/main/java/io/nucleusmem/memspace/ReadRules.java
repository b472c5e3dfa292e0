package io.nucleusmem.memspace;

import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.Version;
import java.util.List;

/**
 * What a space does not show, as its owner tells it with every grant: what is being erased, and
 * what is in quarantine.
 *
 * @param erasedAt store's time of the newest erasure, also if it has ended; 0 if there was none.
 *     What a node has in memory from before it must go
 */
record ReadRules(List<ErasureRule> erasing, List<Quarantined> quarantined, long erasedAt) {
  static final ReadRules NONE = new ReadRules(List.of(), List.of(), 0);

  /**
   * A version in quarantine.
   *
   * @param at store's time in milliseconds
   * @param inherited true in a fork whose base has put it there; null otherwise
   */
  record Quarantined(
      String region,
      String key,
      long revision,
      String by,
      String reason,
      long at,
      Boolean inherited) {
    boolean isInherited() {
      return Boolean.TRUE.equals(inherited);
    }

    EntryKey entry() {
      return new EntryKey(Region.ofLabel(region), key);
    }
  }

  ReadRules {
    erasing = List.copyOf(erasing);
    quarantined = List.copyOf(quarantined);
  }

  /** The same for a mount that is shown what is in quarantine. */
  ReadRules withQuarantined() {
    return quarantined.isEmpty() ? this : new ReadRules(erasing, List.of(), erasedAt);
  }

  /** The version, or what stands in its place. */
  Version show(Version version) {
    if (erasing.isEmpty() && quarantined.isEmpty() || version.deleted()) {
      return version;
    }
    for (ErasureRule rule : erasing) {
      if (rule.covers(
          version.entry(),
          version.timestamp(),
          () -> ContentCodec.decode(version.body()).metadata())) {
        return Tombstones.isOne(version) ? version : Tombstones.erased(version, rule, null);
      }
    }
    for (Quarantined each : quarantined) {
      if (each.revision() == version.revision() && isOf(each, version.entry())) {
        return Tombstones.quarantined(version, each);
      }
    }
    return version;
  }

  private static boolean isOf(Quarantined each, EntryRef entry) {
    return Region.ofLabel(each.region()).code() == entry.region()
        && each.key().equals(entry.key().utf8());
  }
}
