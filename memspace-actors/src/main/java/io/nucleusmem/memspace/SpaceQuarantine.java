package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Puts versions into quarantine and takes them out, in a space and in the forks that show the
 * version, and theirs. A fork that is made later takes over what its base hides.
 */
final class SpaceQuarantine {
  private final MemSpaceNode node;

  SpaceQuarantine(MemSpaceNode node) {
    this.node = node;
  }

  /**
   * Changes it; completes when every node that holds a mount of one of the spaces knows.
   *
   * @param reason null to take the version out
   */
  CompletionStage<Void> change(
      LedgerId space, Principal caller, EntryKey key, long revision, String reason) {
    Set<LedgerId> all = new LinkedHashSet<>();
    all.add(space);
    return change(space, new KeepingChanges.Quarantine(caller, key, revision, reason, false))
        .thenCompose(
            done ->
                forks(
                    space,
                    space,
                    new KeepingChanges.Quarantine(caller, key, revision, reason, true),
                    revision,
                    all));
  }

  /** Behind the change in the space itself: a fork that is made later takes it over. */
  private CompletionStage<Void> forks(
      LedgerId space, LedgerId of, SpaceCommand command, long revision, Set<LedgerId> all) {
    LedgerReader reader = new LedgerReader(node.store(), space);
    return reader
        .table(SpaceRows.PINS)
        .thenCombine(reader.table(ForkRows.COPIES), SpaceQuarantine::forks)
        .thenCompose(
            forks -> {
              CompletionStage<Void> done = CompletableFuture.completedStage(null);
              for (LedgerId fork : forks) {
                if (all.add(fork)) {
                  done =
                      done.thenCompose(any -> shows(fork, of, revision))
                          .thenCompose(
                              shows ->
                                  shows
                                      ? SpaceErasure.unlessGone(change(fork, command))
                                          .thenCompose(
                                              any -> forks(fork, of, command, revision, all))
                                      : CompletableFuture.completedStage(null));
                }
              }
              return done;
            });
  }

  private static Set<LedgerId> forks(Map<StateKey, Bytes> pins, Map<StateKey, Bytes> copies) {
    Set<LedgerId> forks = new LinkedHashSet<>(ForkRows.copies(copies));
    ForkRows.pins(pins).forEach(pin -> forks.add(pin.fork()));
    return forks;
  }

  /** False also of a fork that was never made, or is gone. */
  private CompletionStage<Boolean> shows(LedgerId fork, LedgerId of, long revision) {
    return Base.find(node.store(), fork)
        .thenApply(
            base -> base.origin(of).filter(layer -> layer.revision() >= revision).isPresent());
  }

  /** Has a fork that was just made hide what its base hides of what it took. */
  CompletionStage<Void> inherit(LedgerId base, LedgerId fork, long upTo) {
    return new LedgerReader(node.store(), base)
        .table(KeepingChanges.QUARANTINE)
        .thenCompose(
            rows -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Bytes row : rows.values()) {
                ReadRules.Quarantined each = Decoded.of(row, ReadRules.Quarantined.class);
                if (each.revision() <= upTo) {
                  all =
                      all.thenCompose(
                          done ->
                              change(
                                      fork,
                                      new KeepingChanges.Quarantine(
                                          new Principal(each.by(), true),
                                          each.entry(),
                                          each.revision(),
                                          each.reason(),
                                          true))
                                  .thenApply(any -> null));
                }
              }
              return all;
            });
  }

  private CompletionStage<Boolean> change(LedgerId space, SpaceCommand command) {
    return node.calls()
        .call(
            (promise, again) ->
                node.spaces().tell(space, new MemSpace.ChangeRules(command, promise)));
  }
}
