package io.nucleusmem.memspace;

import akka.actor.typed.ActorSystem;
import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Looks after forks in the background: lets go of pins whose forks were never made, are gone or
 * have copies of their own, and flattens forks whose chain is long.
 */
final class ForkSweep {
  private final MemSpaceNode node;
  private final Pins pins;
  private final SpaceKeepingClient keeping;
  private final ForkSettings settings;
  private final CatalogueSweep sweep;

  ForkSweep(
      ActorSystem<?> system,
      MemSpaceNode node,
      Catalogue catalogue,
      Pins pins,
      SpaceKeepingClient keeping,
      ForkSettings settings) {
    this.node = node;
    this.pins = pins;
    this.keeping = keeping;
    this.settings = settings;
    this.sweep = new CatalogueSweep(system, catalogue, "looking after forks", this::look);
  }

  void start() {
    sweep.start(settings.interval());
  }

  /** One round. */
  CompletionStage<Void> run() {
    return sweep.run();
  }

  private CompletionStage<Void> look(Catalogue.Named space) {
    LedgerId id = space.row().ledger();
    return hasAny(id, SpaceRows.PINS)
        .thenCombine(hasAny(id, ForkRows.COPIES), Boolean::logicalOr)
        .thenCompose(has -> has ? pins.sweep(id) : CompletableFuture.<Integer>completedStage(0))
        .thenCompose(swept -> Base.find(node.store(), id))
        .thenCompose(
            base ->
                base.layers().size() > settings.flattenOver()
                        && !base.isOwn()
                        && !keeping.locks().isBusy(id)
                    ? flatten(space.name(), id)
                    : CompletableFuture.completedStage(null));
  }

  /** Rows alone: what only the log has is seen the next time. */
  private CompletionStage<Boolean> hasAny(LedgerId id, byte table) {
    return node.store()
        .scan(
            KeyRange.prefix(LedgerKeys.state(id, new StateKey(table, Bytes.EMPTY))),
            1,
            Direction.ASCENDING)
        .thenApply(page -> !page.rows().isEmpty());
  }

  /** In its owner's name, so that he can look at the operation. */
  private CompletionStage<Void> flatten(String name, LedgerId id) {
    return new LedgerReader(node.store(), id)
        .state(SpaceRows.MANIFEST_KEY)
        .thenCompose(
            row -> {
              SpaceRows.Manifest manifest =
                  row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class)).orElse(null);
              return manifest == null || manifest.state().equals(SpaceRows.Manifest.DELETED)
                  ? CompletableFuture.completedStage(null)
                  : keeping
                      .flatten(new Principal(manifest.owner(), true), name)
                      .thenApply(operation -> null);
            });
  }
}
