package io.nucleusmem.receipts;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.receipts.Replayed.State;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Finds what receipts name. Past the mounts: an agent's mount may be gone, and who asks was
 * checked.
 */
final class VersionSource {
  private final MemSpaceSystem system;

  VersionSource(MemSpaceSystem system) {
    this.system = system;
  }

  /** The space of a mount, also where its name belongs to another space now. */
  MountedSpace space(String mount) {
    return system.view(MemSpaceSystem.spaceOf(mount));
  }

  /** A receipt with what it names. */
  CompletionStage<Replayed> replayed(Receipt receipt) {
    SeenVersion version = receipt.version();
    CompletionStage<Replayed> found =
        version.topic()
            ? message(receipt.mount(), version)
                .thenApply(message -> message.map(m -> of(receipt, m)).orElse(null))
            : entry(receipt.mount(), version)
                .thenApply(entry -> entry.map(e -> of(receipt, e)).orElse(null));
    return found
        .handle(
            (replayed, failure) ->
                replayed != null
                    ? CompletableFuture.completedStage(replayed)
                    : absent(receipt, failure))
        .thenCompose(stage -> stage);
  }

  CompletionStage<Optional<Entry>> entry(String mount, SeenVersion version) {
    return space(mount).pull(new EntryKey(version.region(), version.key()), version.revision());
  }

  CompletionStage<Optional<Message>> message(String mount, SeenVersion version) {
    return space(mount).topic(version.key()).message(version.revision());
  }

  /**
   * A version that a rerun can't do without.
   *
   * @return fails with why it can't be read any more, and what to do about it
   */
  static <T> CompletionStage<T> required(
      String space, SeenVersion version, CompletionStage<Optional<T>> read) {
    return read.handle(
        (found, failure) -> {
          if (failure == null && found.isPresent()) {
            return found.get();
          }
          Throwable cause = Failures.unwrap(failure);
          if (cause == null) {
            throw unreadable(space, version, ErrorCode.COMPACTED);
          }
          if (cause instanceof MemSpaceException why && stateOf(why.code()).isPresent()) {
            throw unreadable(space, version, why.code());
          }
          throw new CompletionException(cause);
        });
  }

  private static MemSpaceException unreadable(String space, SeenVersion version, ErrorCode code) {
    return new MemSpaceException(
        code,
        "input [%s] of space [%s] at revision [%d] can't be read any more: %s; leave it away by [without], or begin behind it"
            .formatted(version.key(), space, version.revision(), code.label()));
  }

  /** Nothing where a version can't be read any more. */
  <T> CompletionStage<Optional<T>> readable(CompletionStage<Optional<T>> read) {
    return read.exceptionally(
        failure -> {
          if (Failures.unwrap(failure) instanceof MemSpaceException refused
              && stateOf(refused.code()).isPresent()) {
            return Optional.empty();
          }
          throw new CompletionException(Failures.unwrap(failure));
        });
  }

  /** When a version was written; empty, or failed, where it can't be shown. */
  CompletionStage<Optional<Instant>> writtenAt(LedgerId space, SeenVersion version) {
    MountedSpace all = system.view(space);
    return version.topic()
        ? all.topic(version.key())
            .message(version.revision())
            .thenApply(found -> found.map(Message::at))
        : all.pull(new EntryKey(version.region(), version.key()), version.revision())
            .thenApply(found -> found.map(Entry::at));
  }

  /** True of a revision that wrote nothing there; what can't be shown any more was there. */
  CompletionStage<Boolean> isUnknown(LedgerId space, SeenVersion version) {
    return writtenAt(space, version).handle((at, gone) -> gone == null && at.isEmpty());
  }

  private static Replayed of(Receipt receipt, Entry entry) {
    return new Replayed(
        receipt,
        entry.deleted() ? State.DELETION : State.PRESENT,
        Optional.of(entry.author()),
        Optional.of(entry.at()),
        entry.deleted() ? Optional.empty() : Optional.of(entry.content()));
  }

  private static Replayed of(Receipt receipt, Message message) {
    return new Replayed(
        receipt,
        State.PRESENT,
        Optional.of(message.sender()),
        Optional.of(message.at()),
        Optional.of(message.content()));
  }

  private CompletionStage<Replayed> absent(Receipt receipt, Throwable failure) {
    Throwable cause = Failures.unwrap(failure);
    if (cause == null) {
      // a version that was delivered was there: it is gone with its space, or by retention
      LedgerId id = MemSpaceSystem.spaceOf(receipt.mount());
      return system
          .exists(id)
          .thenApply(there -> without(receipt, there ? State.COMPACTED : State.SPACE_DELETED));
    }
    Optional<State> state =
        cause instanceof MemSpaceException refused ? stateOf(refused.code()) : Optional.empty();
    return state.isPresent()
        ? CompletableFuture.completedStage(without(receipt, state.get()))
        : CompletableFuture.failedStage(cause);
  }

  private static Optional<State> stateOf(ErrorCode code) {
    return switch (code) {
      case ERASED -> Optional.of(State.ERASED);
      case QUARANTINED -> Optional.of(State.QUARANTINED);
      case COMPACTED -> Optional.of(State.COMPACTED);
      case SPACE_NOT_FOUND, TOPIC_NOT_FOUND -> Optional.of(State.SPACE_DELETED);
      default -> Optional.empty();
    };
  }

  private static Replayed without(Receipt receipt, State state) {
    return new Replayed(receipt, state, Optional.empty(), Optional.empty(), Optional.empty());
  }
}
