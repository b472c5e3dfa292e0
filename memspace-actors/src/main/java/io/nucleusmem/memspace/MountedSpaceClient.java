package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A mounted space on the caller's node: the one place where reads are checked against the mount,
 * before they begin and before they are handed over. Writes are checked by the owner.
 */
final class MountedSpaceClient implements MountedSpace {
  private static final long NEWEST = Long.MAX_VALUE - 1;
  private static final int SCAN_ROUNDS_MAX =
      16; // pages of the store that one page of a scan may look through

  private final MemSpaceClient client;
  private final ForkReader reader;
  private final boolean cached; // else a version that compaction has removed is never shown
  private final AtomicLong seen = new AtomicLong();
  private volatile Grant grant;

  MountedSpaceClient(MemSpaceClient client, Grant grant) {
    this(client, grant, true);
  }

  /**
   * @param cached whether a pull may be answered from the node's memory
   */
  MountedSpaceClient(MemSpaceClient client, Grant grant, boolean cached) {
    this.cached = cached;
    this.client = client;
    this.grant = grant;
    this.reader = client.node().reader(grant.space());
  }

  @Override
  public MountInfo mount() {
    return grant.mount();
  }

  @Override
  public long seen() {
    return seen.get();
  }

  MemSpaceClient client() {
    return client;
  }

  Grant grant() {
    return grant;
  }

  // ---- writes ----

  @Override
  public CompletionStage<Written> write(List<Operation> operations, WriteOptions options) {
    return checked(
        () -> {
          Optional<String> id = options.requestId();
          id.ifPresent(Limits::requestId);
          RequestStamp stamp =
              id.isPresent()
                  ? RequestStamp.of(id.get(), Limits.hash(operations))
                  : RequestStamp.fresh(0);
          return write(operations, stamp, id.isPresent());
        });
  }

  @Override
  public CompletionStage<Written> revert(EntryKey key, long to, WriteOptions options) {
    return checked(
        () -> {
          Optional<String> id = options.requestId();
          id.ifPresent(Limits::requestId);
          RequestStamp stamp = // of what was asked: what is written follows from what is there
              id.isPresent()
                  ? RequestStamp.of(id.get(), Limits.hash("revert", mount().id(), key, to))
                  : RequestStamp.fresh(0);
          return reverting(key, to)
              .thenCompose(operation -> write(List.of(operation), stamp, id.isPresent()));
        });
  }

  private CompletionStage<Written> write(
      List<Operation> operations, RequestStamp stamp, boolean maybeRetried) {
    return checked(
        () -> {
          int bytes = client.limits().batch(operations);
          MountInfo mount = mount();
          return client
              .calls()
              .<Outcome>call(
                  (promise, again) ->
                      client
                          .node()
                          .spaces()
                          .tell(
                              grant.space(),
                              new MemSpace.Apply(
                                  new SpaceWrite(
                                      mount.id(),
                                      mount.holder(),
                                      stamp,
                                      again || maybeRetried,
                                      operations,
                                      bytes,
                                      client.limits().valueBytesMax()),
                                  promise)))
              .thenApply(outcome -> written(operations, outcome));
        });
  }

  private Written written(List<Operation> operations, Outcome outcome) {
    saw(outcome.revision());
    List<Written.Result> results = new ArrayList<>(operations.size());
    Iterator<Change.OfEntry> changes =
        outcome.record().changes().stream()
            .filter(Change.OfEntry.class::isInstance)
            .map(Change.OfEntry.class::cast)
            .iterator();
    for (Operation operation : operations) {
      if (operation instanceof Operation.Check) {
        results.add(new Written.Result(operation.key(), null));
        continue;
      }
      Change.OfEntry change = changes.next();
      boolean told = operation instanceof Operation.Add || operation instanceof Operation.Merge;
      results.add(
          new Written.Result(
              operation instanceof Operation.Append
                  ? SpaceRows.key(change.entry())
                  : operation.key(),
              told && change.body() != null ? told(change, outcome) : null));
    }
    return new Written(outcome.revision(), outcome.timestamp(), results, outcome.replayed());
  }

  /** What an answer that comes again may still tell. */
  private Content told(Change.OfEntry change, Outcome outcome) {
    Version version =
        Version.of(change, outcome.revision(), outcome.timestamp(), outcome.record().author());
    return ContentCodec.decode(show(version).body());
  }

  // ---- reads ----

  @Override
  public CompletionStage<Optional<Entry>> get(EntryKey key, ReadAt at) {
    if (!mount().covers(key.region(), key.name())) {
      return covered(Optional.empty());
    }
    EntryRef ref = SpaceRows.ref(key);
    if (!isPast(at)) {
      return guarded(() -> reader.version(ref, NEWEST).thenApply(this::visible));
    }
    return guarded(
        () ->
            at(at)
                .thenCompose(
                    revision ->
                        unlessCompacted(
                            revision, reader.version(ref, revision).thenApply(this::visible))));
  }

  private Optional<Entry> visible(Optional<Version> version) {
    if (version.isEmpty() || version.get().deleted()) {
      return Optional.empty();
    }
    saw(version.get().revision());
    return Tombstones.readable(show(version.get()));
  }

  /** What the space shows of a version. */
  Version show(Version version) {
    return grant.rules().show(version);
  }

  @Override
  public CompletionStage<Optional<Entry>> pull(EntryKey key, long revision) {
    return pull(key, revision, Tombstones::readable);
  }

  /** As {@link #pull}, with a tombstone where there is one. */
  private CompletionStage<Optional<Entry>> pullShown(EntryKey key, long revision) {
    return pull(key, revision, version -> Optional.of(ContentCodec.entry(version, true)));
  }

  private CompletionStage<Optional<Entry>> pull(
      EntryKey key, long revision, Function<Version, Optional<Entry>> made) {
    if (!mount().covers(key.region(), key.name())) {
      return covered(Optional.empty());
    }
    EntryRef ref = SpaceRows.ref(key);
    return guarded(
        () -> {
          Optional<Version> known =
              cached ? client.cache().find(grant.space(), ref, revision) : Optional.empty();
          CompletionStage<Optional<Version>> read =
              known.isPresent()
                  ? CompletableFuture.completedFuture(known)
                  : reader.exact(ref, revision);
          return read.thenCompose(
              version -> {
                version.ifPresent(found -> saw(found.revision()));
                CompletionStage<Optional<Entry>> entry =
                    CompletableFuture.completedFuture(
                        version.flatMap(found -> made.apply(show(found))));
                return version.isPresent() ? entry : unlessCompacted(revision, entry);
              });
        });
  }

  @Override
  public CompletionStage<Paged<Entry>> scan(ScanRequest request) {
    return checked(
        () -> {
          Limits.page(request.limit());
          String scope =
              "scan/%s/%s/%s/%s"
                  .formatted(
                      grant.space(), request.region(), request.direction(), request.prefix());
          Optional<Cursor> cursor = request.cursor().map(text -> Cursor.decode(text, scope));
          List<KeyRange> ranges = ranges(request);
          return guarded(
              () ->
                  (cursor.isPresent()
                          ? CompletableFuture.completedStage(cursor.get().revision())
                          : isPast(request.at()) ? at(request.at()) : newest())
                      .thenCompose(
                          revision ->
                              unlessCompacted(
                                  revision,
                                  new SpaceScan(
                                          reader, mount(), request, revision, scope, this::show)
                                      .page(ranges, cursor.map(Cursor::at), SCAN_ROUNDS_MAX))));
        });
  }

  /**
   * The parts of the region that both the request and the mount cover, in the order of the scan.
   */
  private List<KeyRange> ranges(ScanRequest request) {
    MountInfo mount = mount();
    if (!mount.regions().isEmpty() && !mount.regions().contains(request.region())) {
      return List.of();
    }
    List<String> prefixes =
        mount.prefixes().isEmpty()
            ? List.of(request.prefix())
            : mount.prefixes().stream()
                .filter(p -> p.startsWith(request.prefix()) || request.prefix().startsWith(p))
                .map(p -> p.startsWith(request.prefix()) ? p : request.prefix())
                .distinct()
                .toList();
    List<KeyRange> ranges = new ArrayList<>();
    prefixes.stream()
        .filter(p -> prefixes.stream().noneMatch(other -> !other.equals(p) && p.startsWith(other)))
        .map(p -> LedgerKeys.versions(grant.space(), request.region().code(), Bytes.utf8(p)))
        .sorted((a, b) -> a.from().compareTo(b.from()))
        .forEach(
            range ->
                ranges.add(request.direction() == Direction.ASCENDING ? ranges.size() : 0, range));
    return ranges;
  }

  @Override
  public CompletionStage<Paged<Entry>> history(EntryKey key, int limit, Optional<String> cursor) {
    return checked(
        () -> {
          Limits.page(limit);
          if (!mount().covers(key.region(), key.name())) {
            return covered(new Paged<Entry>(List.of(), 0, Optional.empty()));
          }
          String scope = "history/%s/%s".formatted(grant.space(), key);
          long from = cursor.map(text -> Cursor.decode(text, scope).revision()).orElse(NEWEST);
          return guarded(
              () ->
                  reader
                      .history(SpaceRows.ref(key), from, limit)
                      .thenApply(
                          page -> {
                            List<Entry> items =
                                page.versions().stream()
                                    .map(v -> ContentCodec.entry(show(v), true))
                                    .toList();
                            return new Paged<>(
                                items,
                                0,
                                page.rest()
                                    .map(
                                        rest ->
                                            new Cursor(
                                                    scope,
                                                    items.get(items.size() - 1).revision() - 1,
                                                    Bytes.EMPTY)
                                                .encode()));
                          }));
        });
  }

  // ---- claims ----

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max) {
    return claim(prefix, worker, lease, max, WriteOptions.DEFAULT);
  }

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max, WriteOptions options) {
    return checked(
        () -> {
          Optional<String> id = options.requestId();
          id.ifPresent(Limits::requestId);
          client.limits().prefix(prefix);
          Limits.word("worker", worker);
          Limits.lease(lease);
          if (max < 1 || max > Limits.CLAIMS_PER_CALL_MAX) {
            throw MemSpaceException.invalid("max", max, "1 to " + Limits.CLAIMS_PER_CALL_MAX);
          }
          MountInfo mount = mount();
          RequestStamp stamp =
              id.isPresent()
                  ? RequestStamp.of(
                      id.get(),
                      Limits.hash("claim", mount.id(), prefix, worker, lease.toMillis(), max))
                  : RequestStamp.fresh(0);
          SpaceChanges.ClaimRequest claim =
              new SpaceChanges.ClaimRequest(mount.id(), prefix, worker, lease.toMillis(), max);
          return client
              .calls()
              .<Outcome>call(
                  (promise, again) ->
                      client
                          .node()
                          .spaces()
                          .tell(
                              grant.space(),
                              new MemSpace.MakeClaim(
                                  mount.holder(), stamp, again || id.isPresent(), claim, promise)))
              .thenCompose(this::claims);
        });
  }

  private CompletionStage<List<Claim>> claims(Outcome outcome) {
    CompletionStage<List<Claim>> claims = CompletableFuture.completedFuture(new ArrayList<>());
    for (Change change : outcome.record().changes()) {
      Change.OfState state = (Change.OfState) change;
      EntryKey key = SpaceRows.key(SpaceRows.claimedEntry(state.key()));
      SpaceRows.ClaimRow row = SpaceRows.ClaimRow.decode(state.value());
      claims =
          claims.thenCombine(
              pullShown(key, row.revision()),
              (list, entry) -> {
                entry.ifPresent(
                    found ->
                        list.add(
                            new Claim(found, row.token(), Instant.ofEpochMilli(row.expiresAt()))));
                return list;
              });
    }
    return claims;
  }

  @Override
  public CompletionStage<Claim> renew(EntryKey key, long token, Duration lease) {
    return checked(
        () -> {
          Limits.lease(lease);
          return apply(
                  again ->
                      new SpaceChanges.RenewClaim(
                          mount().holder(), mount().id(), key, token, lease.toMillis()))
              .thenCompose(
                  outcome -> {
                    Change.OfState state = (Change.OfState) outcome.record().changes().get(0);
                    SpaceRows.ClaimRow row = SpaceRows.ClaimRow.decode(state.value());
                    return pullShown(key, row.revision())
                        .thenApply(
                            entry ->
                                new Claim(
                                    entry.orElse(null),
                                    row.token(),
                                    Instant.ofEpochMilli(row.expiresAt())));
                  });
        });
  }

  @Override
  public CompletionStage<Void> release(EntryKey key, long token) {
    return checked(
        () ->
            apply(
                    again ->
                        new SpaceChanges.RenewClaim(
                            mount().holder(), mount().id(), key, token, null))
                .thenApply(outcome -> null));
  }

  private CompletionStage<Outcome> apply(Function<Boolean, SpaceCommand> command) {
    return client.apply(grant.space(), command);
  }

  // ---- watching and topics ----

  @Override
  public CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler) {
    return guarded(() -> client.hub().watchSpace(this, request, handler));
  }

  @Override
  public MountedTopic topic(String name) {
    Limits.name("topic", name);
    if (!mount().coversTopic(name)) {
      throw new MemSpaceException(
          ErrorCode.TOPIC_NOT_FOUND,
          "there is no topic [%s]".formatted(name),
          Map.of("topic", name));
    }
    return client.topics().open(this, name);
  }

  @Override
  public CompletionStage<TopicInfo> createTopic(String name) {
    return checked(
        () -> {
          topic(name);
          if (!mount().access().mayAppend()) {
            throw SpaceCommand.notCovered(mount(), "topic " + name);
          }
          return guarded(() -> client.topics().create(this, name));
        });
  }

  @Override
  public CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor) {
    return checked(
        () -> {
          Limits.page(limit);
          return guarded(() -> client.topics().list(this, limit, cursor));
        });
  }

  // ---- the mount's checks ----

  /** Runs a read while the mount holds, and hands its answer over only if it still does. */
  <T> CompletionStage<T> guarded(Supplier<CompletionStage<T>> read) {
    Grant now = grant;
    if (!now.isValid(System.nanoTime())) {
      return client
          .grants()
          .renew(now)
          .thenCompose(
              renewed -> {
                grant = renewed;
                return guarded(read);
              });
    }
    CompletableFuture<T> answer;
    try {
      answer = read.get().toCompletableFuture();
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
    if (answer.isDone() && !answer.isCompletedExceptionally() && now.isValid(System.nanoTime())) {
      return answer;
    }
    return answer
        .handle(
            (value, failure) -> {
              if (failure != null) {
                throw Calls.explain(failure);
              }
              return value;
            })
        .thenCompose(
            value ->
                grant.isValid(System.nanoTime())
                    ? CompletableFuture.completedFuture(value)
                    : client
                        .grants()
                        .renew(grant)
                        .thenApply(
                            renewed -> {
                              grant = renewed;
                              return value;
                            }));
  }

  private <T> CompletionStage<T> covered(T nothing) {
    return guarded(() -> CompletableFuture.completedFuture(nothing));
  }

  private static <T> CompletionStage<T> checked(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  private void saw(long revision) {
    if (revision > seen.get()) {
      seen.accumulateAndGet(revision, Math::max);
    }
  }

  // ---- which state ----

  private static boolean isPast(ReadAt at) {
    return at instanceof ReadAt.AtRevision
        || at instanceof ReadAt.AtInstant
        || at instanceof ReadAt.AtBookmark;
  }

  /** The revision that a past read names; fails if it lies in the future. */
  private CompletionStage<Long> at(ReadAt at) {
    if (at instanceof ReadAt.AtRevision past) {
      if (past.revision() < 0) {
        throw MemSpaceException.invalid(
            "as_of", past.revision(), "a revision from 1, or an instant");
      }
      return past.revision() <= seen.get()
          ? CompletableFuture.completedFuture(past.revision())
          : newest().thenApply(newest -> notInFuture(past.revision(), newest));
    }
    if (at instanceof ReadAt.AtBookmark bookmark) {
      return reader
          .own()
          .state(ForkRows.bookmarkKey(bookmark.name()))
          .thenApply(
              row ->
                  StateJson.decode(
                          row.orElseThrow(() -> ForkChanges.noState("as_of", bookmark.name())),
                          ForkRows.Bookmark.class)
                      .revision());
    }
    return client
        .revisionAt(grant.space(), ((ReadAt.AtInstant) at).instant())
        .thenApply(revision -> Math.max(0, revision)); // before the space was made it was empty
  }

  private long notInFuture(long revision, long newest) {
    requireReached("as_of", revision, newest);
    saw(newest);
    return revision;
  }

  static void requireReached(String field, long revision, long newest) {
    if (revision > newest) {
      throw new MemSpaceException(
          ErrorCode.AS_OF_IN_FUTURE,
          "revision [%d] lies in the future; the newest is [%d]".formatted(revision, newest),
          Map.of("field", field, "value", revision, "current_revision", newest));
    }
  }

  /** The newest revision: from the owner where its memory is exact, else from the store. */
  CompletionStage<Long> newest() {
    return client.node().newest(client.node().spaces(), grant.space());
  }

  /**
   * Looks at the floor after the read: what was compacted before it had ended may be missing in it.
   */
  private <T> CompletionStage<T> unlessCompacted(long revision, CompletionStage<T> read) {
    return read.thenCompose(
        value -> {
          Optional<Ledger> local = client.node().spaces().ledger(grant.space());
          CompletionStage<Long> floor =
              local.isPresent() && revision >= local.get().ownFrom()
                  ? CompletableFuture.completedFuture(local.get().floor())
                  : reader.floor(revision);
          return floor.thenApply(
              oldest -> {
                if (revision < oldest) {
                  throw new CompactedException(revision, oldest);
                }
                return value;
              });
        });
  }

  static long timestampOf(Instant instant) {
    return Timestamps.lastOf(instant.toEpochMilli());
  }
}
