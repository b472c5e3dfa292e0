package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.StateJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Which agents there are: one entry each in the space of agents, so the directory has a history
 * like everything else.
 */
final class AgentDirectory {
  private static final String PREFIX = "agent/";
  private static final String RUNS_PREFIX = "runs/";

  private final MountedSpace space;

  AgentDirectory(MountedSpace space) {
    this.space = space;
  }

  private static EntryKey key(String id) {
    return EntryKey.of(PREFIX + id);
  }

  /**
   * An agent's entry, which stays as it is until the agent is stopped.
   *
   * @param revision tells it from those of others that had the id before or will have it
   */
  record Entered(String type, long revision) {}

  /**
   * Adds an agent; {@code AGENT_EXISTS} if the id is taken, unless by this very request.
   *
   * @param request the owner's id of it
   */
  CompletionStage<Entered> add(AgentSpec spec, String owner, Optional<String> request) {
    Stored stored = new Stored(spec.type(), spec.config(), owner, request.orElse(null));
    return space
        .putIfAbsent(key(spec.id()), Content.json(StateJson.encode(stored).utf8()))
        .thenApply(written -> new Entered(spec.type(), written.revision()))
        .exceptionallyCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              return cause instanceof RevisionMismatchException
                  ? sameRequest(spec.id(), stored)
                  : CompletableFuture.failedStage(cause);
            });
  }

  private CompletionStage<Entered> sameRequest(String id, Stored wanted) {
    return space
        .get(key(id))
        .thenApply(
            entry -> {
              Stored there = entry.map(AgentDirectory::stored).orElse(null);
              boolean same =
                  there != null
                      && wanted.request() != null
                      && wanted.request().equals(there.request())
                      && wanted.owner().equals(there.owner());
              if (same && !wanted.equals(there)) {
                throw new MemSpaceException(
                    ErrorCode.IDEMPOTENCY_KEY_REUSED,
                    "the request id was used to spawn agent [%s] with another type or configuration; use a new one"
                        .formatted(id));
              }
              if (!same) {
                throw new MemSpaceException(
                    ErrorCode.AGENT_EXISTS, "there is an agent [%s] already".formatted(id));
              }
              return new Entered(there.type(), entry.orElseThrow().revision());
            });
  }

  /** Removes an agent, and no other that has its id by now. */
  CompletionStage<Void> remove(String id, Entered entered) {
    return space
        .write(new Operation.Delete(key(id), OptionalLong.of(entered.revision()), Operation.ANY))
        .handle((done, gone) -> null);
  }

  /** An agent's entry; {@code AGENT_NOT_FOUND} if there is none. */
  CompletionStage<Entered> require(String id) {
    return space
        .get(key(id))
        .thenApply(
            found -> {
              Entry entry =
                  found.orElseThrow(
                      () ->
                          new MemSpaceException(
                              ErrorCode.AGENT_NOT_FOUND, "there is no agent [%s]".formatted(id)));
              return new Entered(stored(entry).type(), entry.revision());
            });
  }

  /** A page of ids and types. */
  CompletionStage<Paged<Listed>> page(int limit, Optional<String> cursor) {
    return page(ReadAt.LATEST, limit, cursor);
  }

  /** A page of ids and types, as they were. */
  CompletionStage<Paged<Listed>> page(ReadAt at, int limit, Optional<String> cursor) {
    ScanRequest all = ScanRequest.of(Region.MEMORY, PREFIX).at(at).limit(limit);
    return space
        .scan(cursor.map(all::after).orElse(all))
        .thenApply(
            page ->
                new Paged<>(
                    page.items().stream().map(AgentDirectory::listed).toList(),
                    page.revision(),
                    page.next()));
  }

  /**
   * Where an agent began to run, and with what.
   *
   * @param mounts ids
   */
  record Runs(String node, List<String> mounts) {
    Runs {
      mounts = List.copyOf(mounts);
    }
  }

  /** Writes down where an agent runs now and with which mounts, for who asks for the past. */
  CompletionStage<Void> runs(String id, Runs runs) {
    return space
        .put(EntryKey.of(RUNS_PREFIX + id), Content.json(StateJson.encode(runs).utf8()))
        .thenApply(written -> null);
  }

  /** What was written down of it at an instant; empty if it had not begun to run. */
  CompletionStage<Optional<Runs>> ran(String id, ReadAt at) {
    return space
        .get(EntryKey.of(RUNS_PREFIX + id), at)
        .thenApply(
            entry -> entry.map(found -> StateJson.decode(found.content().value(), Runs.class)));
  }

  /** All agents, page after page. */
  CompletionStage<List<Listed>> all() {
    return all(Optional.empty(), new ArrayList<>());
  }

  private CompletionStage<List<Listed>> all(Optional<String> cursor, List<Listed> found) {
    return page(1_000, cursor)
        .thenCompose(
            page -> {
              found.addAll(page.items());
              return page.next().isPresent()
                  ? all(page.next(), found)
                  : CompletableFuture.completedFuture(found);
            });
  }

  private static Stored stored(Entry entry) {
    return StateJson.decode(entry.content().value(), Stored.class);
  }

  private static Listed listed(Entry entry) {
    Stored stored = stored(entry);
    return new Listed(
        entry.key().name().substring(PREFIX.length()),
        stored.type(),
        stored.config(),
        stored.owner());
  }

  /**
   * An agent as its entry says; an old one does not say who spawned it.
   *
   * @param request the id under which it was spawned; null: none
   */
  private record Stored(String type, Map<String, String> config, String owner, String request) {
    Stored {
      config = config == null ? Map.of() : config;
      owner = owner == null ? "" : owner;
    }
  }

  /**
   * An agent in a listing.
   *
   * @param owner who spawned it; empty where that is not known
   */
  record Listed(String id, String type, Map<String, String> config, String owner) {}
}
