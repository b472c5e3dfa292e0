package io.nucleusmem.agent;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.ForkBase;
import io.nucleusmem.memspace.ForkRequest;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.receipts.Tape;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Where one rerun writes: forks of what the agent could write. */
final class Scratches {
  /** The revision that a space had at a timestamp; -1 where it was not there. */
  interface Revisions {
    CompletionStage<Long> at(String space, long timestamp);
  }

  private final MemSpaces spaces;
  private final Revisions revisions;
  private final Principal caller;
  private final List<String> made = new ArrayList<>(); // one after the other

  Scratches(MemSpaces spaces, Revisions revisions, Principal caller) {
    this.spaces = spaces;
    this.revisions = revisions;
    this.caller = caller;
  }

  /**
   * The forks by the names of their bases.
   *
   * @param fork one that is there, or the name of the first that is made
   */
  CompletionStage<Map<String, String>> of(String agent, List<Tape> tapes, Optional<String> fork) {
    Set<String> writable = new LinkedHashSet<>();
    for (Tape tape : tapes) {
      tape.mounts().stream()
          .filter(mount -> !mount.access().equals("read_only"))
          .forEach(mount -> writable.add(mount.space()));
    }
    long at = tapes.get(0).begin();
    return existing(fork).thenCompose(base -> of(agent, writable, at, fork, base));
  }

  private CompletionStage<Map<String, String>> of(
      String agent, Set<String> writable, long at, Optional<String> fork, Optional<String> base) {
    Map<String, String> all = new LinkedHashMap<>();
    base.ifPresent(
        space -> {
          if (!writable.contains(space)) {
            throw MemSpaceException.invalid("fork", fork.get(), "a fork of one of " + writable);
          }
          all.put(space, fork.get());
        });
    String stem =
        base.isEmpty() && fork.isPresent()
            ? fork.get()
            : "rerun-%s-%x".formatted(agent, System.currentTimeMillis());
    CompletionStage<Void> forked = CompletableFuture.completedStage(null);
    for (String space : writable) {
      if (!all.containsKey(space)) {
        String name = all.isEmpty() ? stem : stem + "." + all.size();
        all.put(space, name);
        forked = forked.thenCompose(done -> fork(space, name, at));
      }
    }
    return forked.thenApply(done -> all);
  }

  /** By revision: an instant holds all of its millisecond, and so what came of the first input. */
  private CompletionStage<Void> fork(String space, String name, long at) {
    return revisions
        .at(space, at)
        .thenApply(
            revision ->
                revision < 1 ? ReadAt.instant(Timestamps.instant(at)) : ReadAt.revision(revision))
        .thenCompose(
            state ->
                spaces
                    .forks()
                    .fork(caller, new ForkRequest(space, name, state), WriteOptions.DEFAULT))
        .thenAccept(created -> made.add(name));
  }

  /** The base of the fork, if it is there already. */
  private CompletionStage<Optional<String>> existing(Optional<String> fork) {
    if (fork.isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    return spaces
        .describe(caller, fork.get())
        .thenApply(
            info ->
                Optional.of(
                    info.base()
                        .map(ForkBase::space)
                        .orElseThrow(
                            () ->
                                MemSpaceException.invalid(
                                    "fork", fork.get(), "a space that is a fork"))))
        .exceptionally(
            failure -> {
              if (cause(failure) instanceof MemSpaceException known
                  && known.code() == ErrorCode.SPACE_NOT_FOUND) {
                return Optional.empty();
              }
              throw new CompletionException(cause(failure));
            });
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /** Removes the forks that were made for a rerun that does not begin: each pins its base. */
  <T> CompletionStage<T> undo(Throwable refusal) {
    CompletionStage<Void> removed = CompletableFuture.completedStage(null);
    for (String name : made) {
      removed =
          removed.thenCompose(
              done -> spaces.delete(caller, name).handle((ok, failure) -> (Void) null));
    }
    return removed.thenCompose(done -> CompletableFuture.failedStage(cause(refusal)));
  }
}
