package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Refuses what was read of versions that the garbage collection may have removed. TiKV itself
 * answers such a read with what is left, and does not say so.
 *
 * <p>A read begins at a fresh timestamp, so it gets there only in a process that stood still for as
 * long as the collection keeps versions, or where somebody moves the safe point to the present. It
 * is compared when the read has ended, with a safe point that was asked for not long before then.
 */
final class SafePointGuard {
  private static final Duration AGE_MAX = Duration.ofSeconds(10);

  /**
   * A safe point, and when it was told: by the clock that stops with the machine, and the other.
   */
  private record Known(long safePoint, long nanos, long millis) {}

  private final Supplier<CompletableFuture<Long>> ask;
  private final LongSupplier nanos;
  private final LongSupplier millis;
  private volatile Known known;
  private CompletableFuture<Known> asked; // under way; guarded by this

  /**
   * @param ask PD for the safe point
   * @param nanos {@link System#nanoTime}
   * @param millis {@link System#currentTimeMillis}
   */
  SafePointGuard(Supplier<CompletableFuture<Long>> ask, LongSupplier nanos, LongSupplier millis) {
    this.ask = ask;
    this.nanos = nanos;
    this.millis = millis;
  }

  /** What a read found; fails if it may be wrong. PD is asked while the read is under way. */
  <T> CompletableFuture<T> check(
      long timestamp, Deadline deadline, Supplier<CompletableFuture<T>> read) {
    CompletableFuture<Known> before = current();
    return read.get()
        .thenCombine(limited(before, deadline), (found, known) -> found)
        .thenCompose(
            found ->
                limited(current(), deadline)
                    .thenApply(
                        now -> {
                          if (Long.compareUnsigned(now.safePoint, timestamp) >= 0) {
                            throw refusal(timestamp, now.safePoint);
                          }
                          return found;
                        }));
  }

  private static TransientStoreException refusal(long timestamp, long safePoint) {
    return new TransientStoreException(
        "a read as of [%s] ended when TiKV's safe point was [%s]: what it found may be incomplete; try again"
            .formatted(Timestamps.instant(timestamp), Timestamps.instant(safePoint)));
  }

  private CompletableFuture<Known> limited(CompletableFuture<Known> asked, Deadline deadline) {
    if (asked.isDone()) {
      return asked;
    }
    return asked
        .copy()
        .orTimeout(Math.max(1, deadline.left()), TimeUnit.MILLISECONDS)
        .handle(
            (safePoint, failure) -> {
              if (failure != null) {
                throw new TransientStoreException(
                    "PD did not tell the safe point within [%s]: %s"
                        .formatted(deadline.allowed(), Rpc.cause(failure).getMessage()));
              }
              return safePoint;
            });
  }

  /** It was just moved there. */
  void learn(long safePoint) {
    known = new Known(safePoint, nanos.getAsLong(), millis.getAsLong());
  }

  private CompletableFuture<Known> current() {
    Known now = known;
    if (now != null && isYoung(now)) {
      return CompletableFuture.completedFuture(now);
    }
    synchronized (this) {
      if (asked == null) {
        Known since = new Known(0, nanos.getAsLong(), millis.getAsLong());
        CompletableFuture<Known> answer =
            ask.get().thenApply(told -> new Known(told, since.nanos, since.millis));
        asked = answer;
        answer.whenComplete(
            (told, failure) -> {
              synchronized (this) {
                asked = null;
                known = failure == null ? told : known;
              }
            });
        return answer;
      }
      return asked;
    }
  }

  private boolean isYoung(Known told) {
    long passed = millis.getAsLong() - told.millis;
    return nanos.getAsLong() - told.nanos <= AGE_MAX.toNanos()
        && passed >= 0
        && passed <= AGE_MAX.toMillis();
  }
}
