package io.nucleusmem.memspace;

import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The pins by which bases keep what their forks need. */
final class Pins {
  /** A pin whose fork is not there is taken for left behind after this time. */
  static final Duration GRACE = Duration.ofMinutes(10);

  private static final String AUTHOR = "forks";

  private final MemSpaceNode node;
  private final Catalogue catalogue;

  Pins(MemSpaceNode node, Catalogue catalogue) {
    this.node = node;
    this.catalogue = catalogue;
  }

  /**
   * Removes a pin.
   *
   * @param gone true if the fork is not there
   */
  CompletionStage<Void> remove(LedgerId base, LedgerId fork, boolean gone) {
    return node.calls()
        .<Outcome>call(
            (promise, again) ->
                node.spaces()
                    .tell(
                        base,
                        new MemSpace.Apply(new ForkChanges.RemovePin(AUTHOR, fork, gone), promise)))
        .thenApply(outcome -> null);
  }

  /**
   * Notes since when a fork that has copies of its own is seen to stand on them, unless that is
   * known: from then on counts the time after which its base is let go.
   */
  CompletionStage<Void> standAlone(LedgerId fork) {
    return Indexed.newest(node, node.spaces(), fork)
        .thenCompose(
            indexed ->
                node.calls()
                    .<Outcome>call(
                        (promise, again) ->
                            node.spaces()
                                .tell(
                                    fork,
                                    new MemSpace.Apply(
                                        new ForkChanges.StandAlone(AUTHOR), promise))))
        .thenApply(outcome -> null);
  }

  /** Where a space comes from; empty if it is no fork. */
  CompletionStage<Optional<ForkRows.ForkedFrom>> originOf(LedgerId space) {
    return node.reader(space)
        .own()
        .state(ForkRows.FORKED_FROM_KEY)
        .thenApply(row -> row.map(bytes -> StateJson.decode(bytes, ForkRows.ForkedFrom.class)));
  }

  /** Lets the base of a fork go that is gone. */
  CompletionStage<Void> unpin(Optional<ForkRows.ForkedFrom> origin, LedgerId fork) {
    return origin.isPresent()
        ? remove(origin.get().ledger(), fork, true)
        : CompletableFuture.completedStage(null);
  }

  /**
   * Removes pins whose forks are gone, have had copies of their own for {@link
   * ForkReader#RELEASED_AFTER}, or were not made within {@link #GRACE}: those can't be made any
   * more, as the place of their first row is taken. The number removed.
   */
  CompletionStage<Integer> sweep(LedgerId space) {
    return node.reader(space)
        .own()
        .state()
        .thenCombine(
            node.store().now(),
            (rows, now) -> {
              CompletionStage<Integer> swept = CompletableFuture.completedStage(0);
              for (ForkRows.PinnedBy pin : ForkRows.pins(rows)) {
                swept = swept.thenCombine(sweep(space, pin, Timestamps.millis(now)), Integer::sum);
              }
              for (LedgerId fork : ForkRows.copies(rows)) {
                swept = swept.thenCombine(sweepCopy(space, fork), Integer::sum);
              }
              return swept;
            })
        .thenCompose(swept -> swept);
  }

  private enum Fork {
    NEEDS_ITS_BASE,
    OWN,
    GONE
  }

  private CompletionStage<Integer> sweep(LedgerId space, ForkRows.PinnedBy pin, long nowMillis) {
    return look(pin, nowMillis)
        .thenCompose(
            fork ->
                fork == Fork.NEEDS_ITS_BASE
                    ? CompletableFuture.completedStage(0)
                    : remove(space, pin.fork(), fork == Fork.GONE).thenApply(done -> 1));
  }

  private CompletionStage<Integer> sweepCopy(LedgerId space, LedgerId fork) {
    return catalogue
        .isGone(fork)
        .thenCompose(
            gone ->
                gone
                    ? remove(space, fork, true).thenApply(done -> 1)
                    : CompletableFuture.completedStage(0));
  }

  private CompletionStage<Fork> look(ForkRows.PinnedBy pin, long nowMillis) {
    return catalogue
        .isGone(pin.fork())
        .thenCompose(
            gone ->
                gone
                    ? CompletableFuture.completedStage(Fork.GONE)
                    : originOf(pin.fork()).thenCompose(origin -> look(pin, origin, nowMillis)));
  }

  private CompletionStage<Fork> look(
      ForkRows.PinnedBy pin, Optional<ForkRows.ForkedFrom> origin, long nowMillis) {
    if (origin.isPresent()) {
      Long alone = origin.get().aloneSince();
      if (origin.get().isOwn() && alone == null) { // who flattened it has died
        return standAlone(pin.fork()).thenApply(done -> Fork.NEEDS_ITS_BASE);
      }
      boolean released = alone != null && alone + ForkReader.RELEASED_AFTER.toMillis() < nowMillis;
      return CompletableFuture.completedStage(released ? Fork.OWN : Fork.NEEDS_ITS_BASE);
    }
    return pin.pin().at() + GRACE.toMillis() > nowMillis
        ? CompletableFuture.completedStage(Fork.NEEDS_ITS_BASE)
        : catalogue
            .preclude(pin.fork(), pin.pin().revision())
            .thenApply(precluded -> precluded ? Fork.GONE : Fork.NEEDS_ITS_BASE);
  }
}
