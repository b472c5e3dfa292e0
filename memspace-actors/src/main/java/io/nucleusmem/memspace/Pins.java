package io.nucleusmem.memspace;

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

  CompletionStage<Void> remove(LedgerId base, LedgerId fork) {
    return node.calls()
        .<Outcome>call(
            (promise, again) ->
                node.spaces()
                    .tell(
                        base, new MemSpace.Apply(new ForkChanges.RemovePin(AUTHOR, fork), promise)))
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
        ? remove(origin.get().ledger(), fork)
        : CompletableFuture.completedStage(null);
  }

  /**
   * Removes pins whose forks are gone, or were not made within {@link #GRACE}: those can't be made
   * any more, as the place of their first row is taken. The number removed.
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
                swept =
                    swept.thenCompose(
                        sum ->
                            sweep(space, pin, Timestamps.millis(now))
                                .thenApply(removed -> removed ? sum + 1 : sum));
              }
              return swept;
            })
        .thenCompose(swept -> swept);
  }

  private CompletionStage<Boolean> sweep(LedgerId space, ForkRows.PinnedBy pin, long nowMillis) {
    return isNeeded(pin, nowMillis)
        .thenCompose(
            needed ->
                needed
                    ? CompletableFuture.completedStage(false)
                    : remove(space, pin.fork()).thenApply(done -> true));
  }

  private CompletionStage<Boolean> isNeeded(ForkRows.PinnedBy pin, long nowMillis) {
    return catalogue
        .isGone(pin.fork())
        .thenCompose(
            gone -> {
              if (gone) {
                return CompletableFuture.completedStage(false);
              }
              return pin.pin().at() + GRACE.toMillis() > nowMillis
                  ? CompletableFuture.completedStage(true)
                  : catalogue
                      .preclude(pin.fork(), pin.pin().revision())
                      .thenApply(precluded -> !precluded);
            });
  }
}
