package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** The commands by which a space stops showing some of its past, and the rows that say so. */
final class KeepingChanges {
  static final byte ERASING = 16;
  static final byte ERASED = 17;
  static final byte QUARANTINE = 18;
  static final byte ERASURE_KEY = 19;
  static final byte ERASED_AT = 20;

  private static final int ERASING_MAX = 32;
  private static final int QUARANTINED_MAX = 1_000;
  private static final StateKey KEY = new StateKey(ERASURE_KEY, Bytes.EMPTY);
  private static final StateKey AT = new StateKey(ERASED_AT, Bytes.EMPTY);

  private KeepingChanges() {}

  /**
   * An erasure that has come to its end. Whose content it was is not said any more.
   *
   * @param what {@code keys}, {@code prefix} or {@code subject}
   * @param at store's time in milliseconds
   */
  record ErasedRow(String by, String reason, String what, long at, long doneAt) {}

  /** What the space does not show. */
  static ReadRules rules(java.util.function.Function<Byte, SortedMap<StateKey, Bytes>> tables) {
    List<ErasureRule> erasing = new ArrayList<>();
    tables.apply(ERASING).values().forEach(row -> erasing.add(Decoded.of(row, ErasureRule.class)));
    List<ReadRules.Quarantined> quarantined = new ArrayList<>();
    tables
        .apply(QUARANTINE)
        .values()
        .forEach(row -> quarantined.add(Decoded.of(row, ReadRules.Quarantined.class)));
    long at = 0;
    for (Bytes row : tables.apply(ERASED_AT).values()) {
      at = new BytesReader(row).i64();
    }
    return erasing.isEmpty() && quarantined.isEmpty() && at == 0
        ? ReadRules.NONE
        : new ReadRules(erasing, quarantined, at);
  }

  static ReadRules rules(PendingView view) {
    return rules(view::table);
  }

  /**
   * Refuses a fork, or copies for one, while something is being erased: they would show that until
   * it is gone.
   */
  static void requireNoErasure(PendingView view, SpaceRows.Manifest manifest) {
    if (!view.table(ERASING).isEmpty()) {
      throw erasureUnderWay("space [%s]".formatted(manifest.name()));
    }
  }

  static MemSpaceException erasureUnderWay(String of) {
    return new MemSpaceException(
        ErrorCode.BUSY, "an erasure of %s is under way; try again when it has ended".formatted(of));
  }

  static StateKey erasing(String id) {
    return new StateKey(ERASING, Bytes.utf8(id));
  }

  static StateKey erased(String id) {
    return new StateKey(ERASED, Bytes.utf8(id));
  }

  /** The key of the space's hashes; there from its first erasure on. */
  static Optional<Bytes> key(Map<StateKey, Bytes> state) {
    return Optional.ofNullable(state.get(KEY));
  }

  static StateKey quarantineKey(EntryKey key, long revision) {
    Bytes name = SpaceRows.ref(key).key();
    return new StateKey(
        QUARANTINE,
        new BytesWriter(name.length() + 9)
            .u8(key.region().code())
            .i64(revision)
            .raw(name)
            .toBytes());
  }

  /** Begins to hide what is to be erased. Erasing twice under one id is erasing once. */
  static final class Erase extends SpaceCommand {
    private final Principal caller;
    private final ErasureRule rule;
    private final Bytes freshKey;

    /**
     * An erasure.
     *
     * @param freshKey of hashes, if the space has none yet
     */
    Erase(Principal caller, ErasureRule rule, Bytes freshKey) {
      super(caller.name(), null, true);
      this.caller = caller;
      this.rule = rule;
      this.freshKey = freshKey;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      SpaceRows.Manifest manifest = manifest(view);
      if (!caller.admin()) {
        SpaceChanges.requireOwner(manifest, caller);
      }
      if (view.state(erasing(rule.id())).isPresent() || view.state(erased(rule.id())).isPresent()) {
        return NOTHING;
      }
      int running = view.table(ERASING).size();
      if (running >= ERASING_MAX) {
        throw new MemSpaceException(
            ErrorCode.BUSY,
            "[%d] erasures of space [%s] are under way, its limit; wait for one to end"
                .formatted(running, manifest.name()),
            Map.of("accepted", ERASING_MAX));
      }
      List<Change> changes = new ArrayList<>(ForkChanges.stopCopying(view));
      changes.add(new Change.OfState(erasing(rule.id()), StateJson.encode(rule.upTo(timestamp))));
      changes.add(new Change.OfState(AT, new BytesWriter(8).i64(timestamp).toBytes()));
      if (view.state(KEY).isEmpty()) {
        changes.add(new Change.OfState(KEY, freshKey));
      }
      return changes;
    }
  }

  /** The content is gone: from now on its tombstones say so themselves. */
  static final class EndErasure extends SpaceCommand {
    private final String id;

    EndErasure(String author, String id) {
      super(author, null, true);
      this.id = id;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      Optional<Bytes> row = view.state(erasing(id));
      if (row.isEmpty()) {
        return NOTHING;
      }
      ErasureRule rule = Decoded.of(row.get(), ErasureRule.class);
      String what = rule.subject() != null ? "subject" : rule.prefix() != null ? "prefix" : "keys";
      ErasedRow done =
          new ErasedRow(
              rule.by(),
              rule.reason(),
              what,
              Timestamps.millis(rule.before()),
              Timestamps.millis(timestamp));
      return List.of(
          new Change.OfState(erasing(id), null),
          new Change.OfState(AT, new BytesWriter(8).i64(timestamp).toBytes()),
          new Change.OfState(erased(id), StateJson.encode(done)));
    }
  }

  /** Puts a version into quarantine, or with no reason takes it out. */
  static final class Quarantine extends SpaceCommand {
    private final Principal caller;
    private final EntryKey key;
    private final long revision;
    private final String reason;
    private final boolean inherited;

    /**
     * A change.
     *
     * @param reason null to take it out
     * @param inherited true in a fork, for what happened in its base: there nothing is asked of the
     *     caller, and what the fork's owner has put into quarantine himself stays there
     */
    Quarantine(Principal caller, EntryKey key, long revision, String reason, boolean inherited) {
      super(caller.name(), null, true);
      this.caller = caller;
      this.key = key;
      this.revision = revision;
      this.reason = reason;
      this.inherited = inherited;
    }

    @Override
    public List<Change> decide(PendingView view, long at, long timestamp) {
      SpaceRows.Manifest manifest = manifest(view);
      StateKey row = quarantineKey(key, revision);
      if (inherited) {
        Optional<Bytes> there = view.state(row);
        boolean own =
            there.isPresent()
                && !Decoded.of(there.get(), ReadRules.Quarantined.class).isInherited();
        if (own || reason == null && there.isEmpty()) {
          return NOTHING;
        }
      } else {
        SpaceChanges.requireOwner(manifest, caller);
      }
      if (reason == null) {
        if (view.state(row).isEmpty()) {
          throw new MemSpaceException(
              ErrorCode.ENTRY_NOT_FOUND,
              "[%s] at revision [%d] is not in quarantine".formatted(key, revision));
        }
        return state(row, null);
      }
      int held = view.table(QUARANTINE).size();
      // what comes from a base is bounded there
      if (!inherited && held >= QUARANTINED_MAX && view.state(row).isEmpty()) {
        throw MemSpaceException.tooLarge(
            "quarantine", held + 1L, QUARANTINED_MAX, "versions of a space");
      }
      return state(
          row,
          StateJson.encode(
              new ReadRules.Quarantined(
                  key.region().label(),
                  key.name(),
                  revision,
                  caller.name(),
                  reason,
                  Timestamps.millis(timestamp),
                  inherited ? true : null)));
    }
  }
}
