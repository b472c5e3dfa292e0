package io.nucleusmem.memspace;

import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Merges a fork into its base, key by key, three ways: what the fork was when it was last merged
 * (or made), what it is, what the base is. All writes are conditions on what was compared, decided
 * by the base's owner, so nothing that is written meanwhile is lost: then the keys are compared
 * again.
 *
 * <p>What fits one commit is merged in one. More goes in parts, one after the other, in the order
 * of keys; who merges again after one that was cut short goes on, since keys that are merged
 * already are the same on both sides.
 */
final class ForkMerge {
  private static final int SCAN_PAGE = 500;
  private static final int KEYS_MAX = 100_000; // of one merge: what is to be written is in memory
  private static final int CONFLICTS_MAX = 1_000; // told of one merge
  private static final int ROUNDS_MAX = 10; // comparisons, where others write the same keys
  private static final byte[] REGIONS = {
    Region.MEMORY.code(), Region.TASK.code(), Region.SUMMARY.code(), Region.TOOL.code()
  };

  private final MemSpaceClient client;
  private final MergeRequest request;
  private final LedgerId forkId;
  private final ForkReader fork;
  private final ForkReader base;
  private final long since;
  private final MergeParts parts;

  /**
   * A merge.
   *
   * @param since the fork's revision that was merged last, or that it began with
   * @param parts those that are in the base, of an earlier run too
   */
  ForkMerge(
      MemSpaceClient client,
      MergeRequest request,
      LedgerId fork,
      LedgerId base,
      long since,
      MergeParts parts) {
    this.client = client;
    this.request = request;
    this.forkId = fork;
    this.fork = client.node().reader(fork);
    this.base = client.node().reader(base);
    this.since = since;
    this.parts = parts;
  }

  /** A key that the base is to get; at which revision it is there. */
  private record Wanted(EntryRef entry, long forkRevision, boolean deleted, long baseRevision) {}

  private static final class Plan {
    private final List<Wanted> wanted = new ArrayList<>();
    private final Set<EntryRef> entries = new HashSet<>(); // of what is wanted
    private final List<Map<String, Object>> conflicts = new ArrayList<>();

    void want(Wanted one) {
      if (wanted.size() == KEYS_MAX) {
        throw MemSpaceException.tooLarge("merge", KEYS_MAX + 1L, KEYS_MAX, "keys");
      }
      wanted.add(one);
      entries.add(one.entry());
    }
  }

  /**
   * Merges.
   *
   * @param upTo the fork's revision that is merged
   */
  CompletionStage<Merged> run(long upTo) {
    return round(upTo, ROUNDS_MAX);
  }

  private CompletionStage<Merged> round(long upTo, int rounds) {
    return parts
        .find() // before the sides are compared: what a part has written is the same then
        .thenCompose(found -> plan(upTo))
        .thenCompose(
            plan -> {
              if (!plan.conflicts.isEmpty()) {
                throw conflict(plan.conflicts);
              }
              return write(plan.wanted.iterator(), new ArrayList<>(), 0);
            })
        .thenApply(done -> parts.merged())
        .exceptionallyCompose(
            failure -> {
              MemSpaceException why = Calls.explain(failure);
              boolean raced =
                  why.code() == ErrorCode.REVISION_MISMATCH
                      || why.code() == ErrorCode.ENTRY_NOT_FOUND
                      || parts.isTaken(why);
              return raced && rounds > 1
                  ? round(upTo, rounds - 1)
                  : CompletableFuture.failedStage(raced ? busy() : told(why));
            });
  }

  private MemSpaceException busy() {
    return told(
        new MemSpaceException(
            ErrorCode.BUSY,
            "others wrote the same keys of the base, [%d] times; merge again"
                .formatted(ROUNDS_MAX)));
  }

  /** A failure after the first part says what is merged already. */
  private MemSpaceException told(MemSpaceException why) {
    Merged merged = parts.merged();
    if (merged.parts() == 0) {
      return why;
    }
    Map<String, Object> details = new LinkedHashMap<>(why.details());
    details.put("merged", merged.keys());
    details.put("parts", merged.parts());
    return new MemSpaceException(
        why.code(),
        "%s; [%d] keys in [%d] parts are merged already, merge again to go on"
            .formatted(why.getMessage(), merged.keys(), merged.parts()),
        details,
        why);
  }

  private static MemSpaceException conflict(List<Map<String, Object>> conflicts) {
    return new MemSpaceException(
        ErrorCode.MERGE_CONFLICT,
        "the base and the fork have both changed [%s%d] keys; say in [resolve] or [policy] which side counts"
            .formatted(conflicts.size() == CONFLICTS_MAX ? "at least " : "", conflicts.size()),
        Map.of("conflicts", conflicts));
  }

  // ---- comparing ----

  private CompletionStage<Plan> plan(long upTo) {
    Plan plan = new Plan();
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (byte region : REGIONS) {
      all =
          all.thenCompose(
              done -> scan(LedgerKeys.versions(forkId, region, Bytes.EMPTY), upTo, plan));
    }
    for (Map.Entry<String, MergePolicy> each : request.resolve().entrySet()) {
      if (each.getValue() == MergePolicy.THEIRS) {
        for (byte region : REGIONS) {
          EntryRef entry = new EntryRef(region, Bytes.utf8(each.getKey()));
          all = all.thenCompose(done -> taken(entry, upTo, plan));
        }
      }
    }
    return all.thenApply(done -> plan);
  }

  /** A key that is named gets what the fork has, also where only the base has changed it. */
  private CompletionStage<Void> taken(EntryRef entry, long upTo, Plan plan) {
    if (plan.entries.contains(entry)) {
      return CompletableFuture.completedStage(null);
    }
    return fork.version(entry, upTo)
        .thenAcceptBoth(
            base.version(entry, Long.MAX_VALUE - 1),
            (inFork, inBase) -> {
              if (!SameContent.of(inFork, inBase)) {
                plan.want(
                    new Wanted(
                        entry,
                        inFork.map(Version::revision).orElse(0L),
                        inFork.map(Version::deleted).orElse(true),
                        baseRevision(inBase)));
              }
            });
  }

  /** 0: absent or deleted. */
  private static long baseRevision(Optional<Version> inBase) {
    return inBase.filter(version -> !version.deleted()).map(Version::revision).orElse(0L);
  }

  /** Only the fork's own versions: what it has not written it has not changed. */
  private CompletionStage<Void> scan(KeyRange range, long upTo, Plan plan) {
    return fork.own()
        .scan(range, upTo, SCAN_PAGE, Direction.ASCENDING)
        .thenCompose(
            page ->
                compare(page.versions().iterator(), plan)
                    .thenCompose(
                        done ->
                            page.rest().isPresent() && plan.conflicts.size() < CONFLICTS_MAX
                                ? scan(page.rest().get(), upTo, plan)
                                : CompletableFuture.completedStage(null)));
  }

  private CompletionStage<Void> compare(Iterator<Version> versions, Plan plan) {
    while (versions.hasNext()) {
      Version now = versions.next();
      if (now.revision() > since && plan.conflicts.size() < CONFLICTS_MAX) {
        return fork.version(now.entry(), since)
            .thenCombine(
                base.version(now.entry(), Long.MAX_VALUE - 1),
                (before, theirs) -> {
                  decide(now, before, theirs, plan);
                  return null;
                })
            .thenCompose(done -> compare(versions, plan));
      }
    }
    return CompletableFuture.completedStage(null);
  }

  private void decide(Version now, Optional<Version> before, Optional<Version> inBase, Plan plan) {
    Optional<Version> changed = Optional.of(now);
    if (SameContent.of(changed, before) || SameContent.of(changed, inBase)) {
      return;
    }
    long baseRevision = baseRevision(inBase);
    EntryKey key = SpaceRows.key(now.entry());
    Optional<MergePolicy> named = Optional.ofNullable(request.resolve().get(key.name()));
    boolean takes = SameContent.of(inBase, before) && named.isEmpty();
    if (!takes) {
      MergePolicy policy = named.orElse(request.policy());
      takes = policy == MergePolicy.THEIRS;
      if (policy == MergePolicy.FAIL) {
        plan.conflicts.add(
            Map.of(
                "key",
                key.name(),
                "region",
                key.region().label(),
                "base_revision",
                baseRevision,
                "fork_revision",
                now.deleted() ? 0L : now.revision()));
      }
    }
    if (takes) {
      plan.want(new Wanted(now.entry(), now.revision(), now.deleted(), baseRevision));
    }
  }

  // ---- writing ----

  private CompletionStage<Void> write(Iterator<Wanted> wanted, List<Operation> part, long bytes) {
    if (!wanted.hasNext()) {
      return part.isEmpty() ? CompletableFuture.completedStage(null) : commit(part);
    }
    Wanted next = wanted.next();
    return operation(next)
        .thenCompose(
            found -> {
              if (found.isEmpty()) {
                return write(wanted, part, bytes);
              }
              Operation operation = found.get();
              long size = size(operation);
              boolean full =
                  part.size() == client.node().settings().batchOperationsMax()
                      || bytes + size > client.node().settings().batchBytesMax();
              if (!full || part.isEmpty()) {
                part.add(operation);
                return write(wanted, part, bytes + size);
              }
              return commit(part)
                  .thenCompose(done -> write(wanted, new ArrayList<>(List.of(operation)), size));
            });
  }

  /** What is written to the base; empty for what is erased or in quarantine: it stays behind. */
  private CompletionStage<Optional<Operation>> operation(Wanted wanted) {
    EntryKey key = SpaceRows.key(wanted.entry());
    OptionalLong expected = OptionalLong.of(wanted.baseRevision());
    if (wanted.deleted()) {
      return CompletableFuture.completedStage(
          Optional.of(new Operation.Delete(key, expected, Operation.ANY)));
    }
    return request
        .fork()
        .pull(key, wanted.forkRevision())
        .thenApply(
            entry ->
                Optional.<Operation>of(
                    new Operation.Put(
                        key,
                        entry
                            .orElseThrow(() -> new CompactedException(wanted.forkRevision(), 0))
                            .content(),
                        expected,
                        Operation.ANY,
                        false)))
        .exceptionally(
            failure -> {
              MemSpaceException why = Calls.explain(failure);
              if (why.code() == ErrorCode.ERASED || why.code() == ErrorCode.QUARANTINED) {
                return Optional.empty();
              }
              throw why;
            });
  }

  private static long size(Operation operation) {
    long size = 64 + operation.key().name().length() * 3L;
    if (operation instanceof Operation.Put put) {
      size += put.content().value().length();
      for (Map.Entry<String, String> each : put.content().metadata().entrySet()) {
        size += (each.getKey().length() + each.getValue().length()) * 3L;
      }
    }
    return size;
  }

  private CompletionStage<Void> commit(List<Operation> part) {
    return request
        .base()
        .write(part, parts.next())
        .thenAccept(written -> parts.add(part.size(), written.revision()));
  }
}
