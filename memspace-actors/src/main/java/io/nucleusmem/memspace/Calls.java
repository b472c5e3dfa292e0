package io.nucleusmem.memspace;

import akka.actor.Cancellable;
import akka.actor.typed.ActorSystem;
import io.nucleusmem.ledger.LedgerException;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiConsumer;

/**
 * Calls on owners: an answer that does not come in time, an owner that is busy, moving or dead are
 * tried again until the call's deadline, with growing pauses. The message says whether it may have
 * been sent before. When a member is gone, what waits is tried again at once: see {@link #again}.
 */
public final class Calls {
  private static final Duration SWEEP = Duration.ofMillis(250);
  private static final long PAUSE_MILLIS_MIN = 5;
  private static final long PAUSE_MILLIS_MAX = 500;
  // an owner that lives answers, or commits, within this time if it can
  private static final Duration PATIENCE = Duration.ofMillis(100);

  /** Times are of System.nanoTime; before {@code patientUntil} no answer means nothing. */
  private record Attempt(CompletableFuture<?> future, long patientUntil, long deadline) {}

  private final ActorSystem<?> system;
  private final Duration callTimeout;
  private final Duration attemptTimeout;
  // in the order of their deadlines; those that are answered leave with the next sweep
  private final Queue<Attempt> attempts = new ConcurrentLinkedQueue<>();
  private final Cancellable sweeper;

  Calls(ActorSystem<?> system, Duration callTimeout, Duration attemptTimeout) {
    this.system = system;
    this.callTimeout = callTimeout;
    this.attemptTimeout = attemptTimeout;
    this.sweeper =
        system
            .scheduler()
            .scheduleWithFixedDelay(SWEEP, SWEEP, this::sweep, system.executionContext());
  }

  /**
   * Calls of another kind than those on spaces and topics; they end with the system.
   *
   * @param callTimeout for all attempts of a call
   * @param attemptTimeout for one of them
   */
  public static Calls start(ActorSystem<?> system, Duration callTimeout, Duration attemptTimeout) {
    Calls calls = new Calls(system, callTimeout, attemptTimeout);
    LostMembers.get(system).whenLost(calls::again);
    system.getWhenTerminated().whenComplete((done, failure) -> calls.stop());
    return calls;
  }

  /**
   * Calls. Fails as the last attempt did, with {@link ErrorCode#UNAVAILABLE} where none was
   * answered: then it is not known whether it was done.
   *
   * @param send gets the promise of one attempt and whether an earlier attempt was made; what it
   *     fails with {@link ErrorCode#retryable()} is tried again
   */
  public <T> CompletionStage<T> call(BiConsumer<Promise<T>, Boolean> send) {
    return call(Duration.ZERO, send);
  }

  /**
   * Calls what may wait before it answers.
   *
   * @param wait how long an owner that lives may wait; shorter than the time for an attempt
   */
  <T> CompletionStage<T> call(Duration wait, BiConsumer<Promise<T>, Boolean> send) {
    CompletableFuture<T> result = new CompletableFuture<>();
    attempt(send, wait, result, System.nanoTime() + callTimeout.toNanos(), 0);
    return result;
  }

  /**
   * Tries again at once what has waited longer than an owner needs: it was sent to a member that is
   * gone. It is not known what was, so owners that live are asked twice too; each message bears it.
   */
  void again() {
    long now = System.nanoTime();
    for (Attempt attempt : attempts) {
      long patience = attempt.patientUntil() - now;
      if (attempt.future().isDone()) {
        continue;
      }
      if (patience <= 0) {
        lost(attempt);
      } else {
        system
            .scheduler()
            .scheduleOnce(
                Duration.ofNanos(patience), () -> lost(attempt), system.executionContext());
      }
    }
  }

  private static void lost(Attempt attempt) {
    attempt
        .future()
        .completeExceptionally(
            new MemSpaceException(
                ErrorCode.UNAVAILABLE,
                "no answer since a node has left the cluster; it is not known whether it was done, retry with the same request id"));
  }

  void stop() {
    sweeper.cancel();
  }

  private <T> void attempt(
      BiConsumer<Promise<T>, Boolean> send,
      Duration wait,
      CompletableFuture<T> result,
      long deadline,
      int before) {
    Promise<T> promise = new Promise<>();
    long now = System.nanoTime();
    attempts.add(
        new Attempt(
            promise.future(),
            now + wait.toNanos() + PATIENCE.toNanos(),
            Math.min(deadline, now + attemptTimeout.toNanos())));
    promise
        .future()
        .whenComplete(
            (value, failure) -> {
              if (failure == null) {
                result.complete(value);
                return;
              }
              MemSpaceException why = explain(failure);
              long pause = pause(before);
              if (why.code().retryable() && System.nanoTime() + pause * 1_000_000 < deadline) {
                system
                    .scheduler()
                    .scheduleOnce(
                        Duration.ofMillis(pause),
                        () -> attempt(send, wait, result, deadline, before + 1),
                        system.executionContext());
              } else {
                result.completeExceptionally(why);
              }
            });
    send.accept(promise, before > 0);
  }

  private static long pause(int before) {
    long most = Math.min(PAUSE_MILLIS_MAX, PAUSE_MILLIS_MIN << Math.min(before, 10));
    return ThreadLocalRandom.current().nextLong(PAUSE_MILLIS_MIN, most + 1);
  }

  private void sweep() {
    long now = System.nanoTime();
    for (Attempt oldest = attempts.peek(); oldest != null; oldest = attempts.peek()) {
      if (!oldest.future().isDone()) {
        if (oldest.deadline() - now > 0) {
          return;
        }
        oldest
            .future()
            .completeExceptionally(
                new MemSpaceException(
                    ErrorCode.UNAVAILABLE,
                    "no answer in [%s]; it is not known whether it was done, retry with the same request id"
                        .formatted(attemptTimeout)));
      }
      attempts.remove(oldest);
    }
  }

  /** What callers are told of whatever went wrong below. */
  static MemSpaceException explain(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof MemSpaceException known) {
      return known;
    }
    if (cause instanceof LedgerException ledger) {
      return new MemSpaceException(codeOf(ledger.reason()), ledger.getMessage(), Map.of(), ledger);
    }
    if (cause instanceof StoreException store) {
      ErrorCode code =
          store instanceof TransientStoreException ? ErrorCode.BUSY : ErrorCode.UNAVAILABLE;
      return new MemSpaceException(
          code, "the store failed: " + store.getMessage(), Map.of(), store);
    }
    if (cause instanceof IllegalArgumentException bad) {
      return new MemSpaceException(ErrorCode.INVALID_REQUEST, bad.getMessage(), Map.of(), bad);
    }
    return new MemSpaceException(
        ErrorCode.INTERNAL, "unexpected failure: " + cause, Map.of(), cause);
  }

  private static ErrorCode codeOf(LedgerException.Reason reason) {
    return switch (reason) {
      case BUSY -> ErrorCode.BUSY;
      case ENDED, UNKNOWN -> ErrorCode.UNAVAILABLE;
      case REQUEST_TOO_OLD -> ErrorCode.REQUEST_TOO_OLD;
      case REQUEST_REUSED -> ErrorCode.IDEMPOTENCY_KEY_REUSED;
      case ABSENT -> ErrorCode.SPACE_NOT_FOUND;
      case TOO_LARGE -> ErrorCode.TOO_LARGE;
    };
  }
}
