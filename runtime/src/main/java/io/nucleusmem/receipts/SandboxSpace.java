package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.memspace.TopicInfo;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import io.nucleusmem.store.Bytes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * A space as a rerun gets it: reads give what they gave then, writes go to a scratch fork. What the
 * rerun has written itself it reads there.
 */
final class SandboxSpace implements MountedSpace {
  private final MountInfo mount;
  private final Tape tape;
  private final VersionSource versions;
  private final Optional<MountedSpace> scratch;
  private final boolean recorded;
  private final Set<EntryKey> own = ConcurrentHashMap.newKeySet(); // other than they were then
  private final SandboxWatches watches;
  private CompletionStage<?> writing = CompletableFuture.completedStage(null); // guarded by this

  /**
   * @param mount that the agent had
   * @param recorded false: its receipts were not kept
   * @param scratch where writes go; empty: nowhere
   */
  SandboxSpace(
      MountInfo mount,
      boolean recorded,
      Tape tape,
      VersionSource versions,
      Optional<MountedSpace> scratch) {
    this.mount = mount;
    this.recorded = recorded;
    this.watches = new SandboxWatches(mount.space(), tape, versions);
    this.tape = tape;
    this.versions = versions;
    this.scratch = scratch;
  }

  Tape tape() {
    return tape;
  }

  VersionSource versions() {
    return versions;
  }

  Optional<MountedSpace> scratch() {
    return scratch;
  }

  private String name() {
    return mount.space();
  }

  @Override
  public MountInfo mount() {
    return mount;
  }

  @Override
  public long seen() {
    return 0;
  }

  // ---- writes ----

  @Override
  public CompletionStage<Written> write(List<Operation> operations, WriteOptions options) {
    Optional<Tape.Done> then = tape.effect("write", name(), Hashes.of(operations));
    if (then.isPresent() && !then.get().done()) {
      return refusedThen(operations, then.get());
    }
    List<Operation> plain = new ArrayList<>();
    for (int i = 0; i < operations.size(); i++) {
      String key = then.isPresent() ? then.get().versions().get(i).key() : null;
      plain(operations.get(i), key).ifPresent(plain::add);
    }
    for (Operation operation : plain) {
      if (then.isEmpty() || isOfOthers(operation) && tape.isFree()) {
        own.add(operation.key());
      } else {
        own.remove(operation.key()); // what it was then again
      }
    }
    CompletionStage<Written> written = inOrder(() -> written(plain));
    if (then.isEmpty()) {
      return written.thenCompose(
          made -> made == null ? nothing(operations) : CompletableFuture.completedStage(made));
    }
    return written.thenCompose(made -> asThen(operations, then.get()));
  }

  /** True if what comes of it depends on what is there. */
  private static boolean isOfOthers(Operation operation) {
    return operation instanceof Operation.Add || operation instanceof Operation.Merge;
  }

  /** One write behind the other, as they were asked for. */
  synchronized <T> CompletionStage<T> inOrder(Supplier<CompletionStage<T>> write) {
    CompletionStage<T> written =
        writing.handle((done, failure) -> null).thenCompose(before -> write.get());
    writing = written;
    return written;
  }

  /** Completes when all that was begun to be written is, or has failed. */
  synchronized CompletionStage<Void> settled() {
    return writing.handle((done, failure) -> null);
  }

  /** What the rerun has written itself, behind all that it has begun to write. */
  private CompletionStage<Optional<Entry>> own(EntryKey key) {
    return inOrder(() -> scratch.orElseThrow().get(key));
  }

  private boolean isOwn(EntryKey key) {
    return scratch.isPresent() && own.contains(key);
  }

  /** It fails as it had; a condition that did not hold shows what was there then. */
  private CompletionStage<Written> refusedThen(List<Operation> operations, Tape.Done then) {
    Throwable failure = then.why(getClass().getClassLoader());
    if (!(failure instanceof MemSpaceException refused)
        || refused.code() != ErrorCode.REVISION_MISMATCH) {
      return CompletableFuture.failedStage(failure);
    }
    int index = ((Number) refused.details().get("index")).intValue();
    long current = ((Number) refused.details().get("current_revision")).longValue();
    Operation operation = operations.get(index);
    EntryKey key = operation.key();
    tape.refusalShown(name(), Hashes.of(operations));
    CompletionStage<Optional<Entry>> there =
        current == 0
            ? CompletableFuture.completedStage(Optional.empty())
            : versions.readable(
                entry(then.mount(), SeenVersion.entry(key.region(), key.name(), current)));
    return there.thenCompose(
        found ->
            CompletableFuture.failedStage(
                new RevisionMismatchException(
                    index, key, operation.ifRevision().orElse(0), current, found.orElse(null))));
  }

  /** Null where there is nothing to write, or no place for it. */
  private CompletionStage<Written> written(List<Operation> plain) {
    if (scratch.isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    CompletionStage<List<Operation>> possible = CompletableFuture.completedStage(new ArrayList<>());
    for (Operation operation : plain) {
      // what was deleted then need not be in the fork
      CompletionStage<Boolean> wanted =
          operation instanceof Operation.Delete
              ? scratch.get().get(operation.key()).thenApply(Optional::isPresent)
              : CompletableFuture.completedStage(true);
      possible =
          possible.thenCombine(
              wanted,
              (list, there) -> {
                if (there) {
                  list.add(operation);
                }
                return list;
              });
    }
    return possible.thenCompose(
        list ->
            list.isEmpty()
                ? CompletableFuture.completedStage(null)
                : scratch.get().write(list, WriteOptions.DEFAULT));
  }

  /** All that was to be written was there already: deletions, conditions. */
  private CompletionStage<Written> nothing(List<Operation> operations) {
    return scratch.isEmpty()
        ? failedThen()
        : CompletableFuture.completedStage(
            new Written(
                0,
                0,
                operations.stream().map(each -> new Written.Result(each.key(), null)).toList(),
                false));
  }

  static <T> CompletionStage<T> failedThen() {
    return CompletableFuture.failedStage(
        new MemSpaceException(
            ErrorCode.UNAVAILABLE, "a rerun: this failed then, or there is no place to write it"));
  }

  /** Conditions were decided then; an appended entry keeps the key that it got. */
  private static Optional<Operation> plain(Operation operation, String keyThen) {
    if (operation instanceof Operation.Put put) {
      return Optional.of(new Operation.Put(put.key(), put.content()));
    }
    if (operation instanceof Operation.Append append && keyThen != null) {
      return Optional.of(
          new Operation.Put(new EntryKey(append.key().region(), keyThen), append.content()));
    }
    if (operation instanceof Operation.Delete delete) {
      return Optional.of(new Operation.Delete(delete.key()));
    }
    if (operation instanceof Operation.Add add) {
      return Optional.of(new Operation.Add(add.key(), add.amount()));
    }
    if (operation instanceof Operation.Merge merge) {
      return Optional.of(new Operation.Merge(merge.key(), merge.patch()));
    }
    return operation instanceof Operation.Append ? Optional.of(operation) : Optional.empty();
  }

  private CompletionStage<Written> asThen(List<Operation> operations, Tape.Done then) {
    SeenVersion first = then.versions().get(0);
    CompletionStage<List<Written.Result>> results =
        CompletableFuture.completedStage(new ArrayList<>());
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      SeenVersion version = then.versions().get(i);
      CompletionStage<Optional<Entry>> value =
          isOwn(operation.key())
              ? own(operation.key())
              : isOfOthers(operation)
                  ? versions.entry(then.mount(), version)
                  : CompletableFuture.completedStage(Optional.empty());
      results =
          results.thenCombine(
              value,
              (list, entry) -> {
                list.add(
                    new Written.Result(
                        new EntryKey(version.region(), version.key()),
                        isOfOthers(operation) ? entry.map(Entry::content).orElse(null) : null));
                return list;
              });
    }
    return results.thenCombine(
        versions.readable(versions.entry(then.mount(), first)),
        (list, entry) ->
            new Written(first.revision(), entry.map(Entry::timestamp).orElse(0L), list, false));
  }

  // ---- reads ----

  /** What was read then; empty where that is not on record, or it was not read. */
  Optional<Tape.Read> readThen(String via, long request) {
    if (recorded) {
      return tape.read(via, name(), request);
    }
    tape.notPlayed(
        "what it read in space [%s], whose mount keeps no receipts: it reads what was there then"
            .formatted(name()));
    return Optional.empty();
  }

  /** A read that failed then fails again. */
  static <T> Optional<CompletionStage<T>> failed(Optional<Tape.Read> then) {
    return then.filter(read -> !read.failure().isEmpty()).map(read -> failed(read.failure()));
  }

  static <T> CompletionStage<T> failed(Bytes failure) {
    return CompletableFuture.failedStage(
        Failures.decode(failure, SandboxSpace.class.getClassLoader()));
  }

  /** A version as it was; if it is to be left away, the one before it. */
  CompletionStage<Optional<Entry>> entry(String mountId, SeenVersion version) {
    if (version.revision() == 0) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    if (!tape.isWithout(name(), version)) {
      return versions.entry(mountId, version);
    }
    return versions
        .space(mountId)
        .get(new EntryKey(version.region(), version.key()), ReadAt.revision(version.revision() - 1))
        .thenCompose(
            before ->
                before.isEmpty()
                    ? CompletableFuture.completedStage(before)
                    : entry(
                        mountId,
                        SeenVersion.entry(
                            version.region(), version.key(), before.get().revision())));
  }

  @Override
  public CompletionStage<Optional<Entry>> get(EntryKey key, ReadAt at) {
    if (isOwn(key) && !Requests.isPast(at)) {
      readThen("get", Requests.get(key, at));
      return own(key);
    }
    return one("get", Requests.get(key, at), key, at);
  }

  private CompletionStage<Optional<Entry>> one(
      String via, long request, EntryKey key, ReadAt otherwise) {
    Optional<Tape.Read> then = readThen(via, request);
    return SandboxSpace.<Optional<Entry>>failed(then)
        .orElseGet(
            () ->
                then.isPresent()
                    ? entry(then.get().mount(), then.get().versions().get(0))
                    : versions
                        .space(mount.id())
                        .get(key, past(otherwise))
                        .thenCompose(
                            found ->
                                found.isEmpty()
                                    ? CompletableFuture.completedStage(found)
                                    : entry(mount.id(), seen(found.get()))));
  }

  /** Where nothing is recorded, the space as it was at that time. */
  private ReadAt past(ReadAt asked) {
    return Requests.isPast(asked) ? asked : ReadAt.instant(tape.now());
  }

  private static SeenVersion seen(Entry entry) {
    return SeenVersion.entry(entry.key().region(), entry.key().name(), entry.revision());
  }

  @Override
  public CompletionStage<Optional<Entry>> pull(EntryKey key, long revision) {
    return one("pull", Requests.pull(key, revision), key, ReadAt.revision(revision));
  }

  @Override
  public CompletionStage<Paged<Entry>> scan(ScanRequest request) {
    return page(
        "scan",
        Requests.scan(request),
        request.values(),
        () -> versions.space(mount.id()).scan(request.at(past(request.at()))));
  }

  /** A page as it was; where that is not on record, as it is read now. */
  private CompletionStage<Paged<Entry>> page(
      String via, long request, boolean values, Supplier<CompletionStage<Paged<Entry>>> otherwise) {
    Optional<Tape.Read> then = readThen(via, request);
    if (then.isPresent()) {
      Tape.Read read = then.get();
      return SandboxSpace.<Paged<Entry>>failed(then)
          .orElseGet(
              () ->
                  entries(read, values)
                      .thenApply(items -> new Paged<>(items, read.at(), read.next())));
    }
    return otherwise
        .get()
        .thenCompose(
            page ->
                entries(
                        new Tape.Read(
                            mount.id(),
                            page.revision(),
                            page.items().stream().map(SandboxSpace::seen).toList(),
                            page.next(),
                            Bytes.EMPTY),
                        values)
                    .thenApply(items -> new Paged<>(items, page.revision(), page.next())));
  }

  private CompletionStage<List<Entry>> entries(Tape.Read then, boolean values) {
    CompletionStage<List<Entry>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (SeenVersion version : then.versions()) {
      EntryKey key = new EntryKey(version.region(), version.key());
      CompletionStage<Optional<Entry>> entry = isOwn(key) ? own(key) : entry(then.mount(), version);
      all =
          all.thenCombine(
              entry,
              (list, found) -> {
                found.map(each -> values ? each : described(each)).ifPresent(list::add);
                return list;
              });
    }
    return all;
  }

  private static Entry described(Entry entry) {
    Content content = entry.content();
    return new Entry(
        entry.key(),
        entry.revision(),
        entry.timestamp(),
        entry.author(),
        new Content(Bytes.EMPTY, content.contentType(), content.metadata()),
        entry.size(),
        entry.deleted());
  }

  @Override
  public CompletionStage<Paged<Entry>> history(EntryKey key, int limit, Optional<String> cursor) {
    return page(
        "history",
        Requests.history(key, limit, cursor),
        true,
        () ->
            versions
                .space(mount.id())
                .history(key, limit, cursor)
                .thenApply(
                    page ->
                        new Paged<>(
                            page.items().stream()
                                .filter(each -> !each.at().isAfter(tape.now()))
                                .toList(),
                            page.revision(),
                            page.next())));
  }

  // ---- claims: whoever claims in a rerun gets what was claimed then, and holds nothing ----

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max) {
    Optional<Bytes> refused =
        tape.refusal(Tape.CLAIM, name(), Requests.claim(prefix, worker, lease, max));
    if (refused.isPresent()) {
      return failed(refused.get());
    }
    return claim(tape.claims(name(), Requests.claim(prefix, worker, lease, max)).iterator(), lease);
  }

  /** The first that is not left away, and of which all was there by now. */
  private CompletionStage<List<Claim>> claim(
      Iterator<LogRecord.Delivered> candidates, Duration lease) {
    if (!candidates.hasNext()) {
      tape.nothingToClaim(name());
      return CompletableFuture.completedStage(List.of());
    }
    LogRecord.Delivered then = candidates.next();
    boolean current = tape.isOfCurrent(then);
    if (!then.versions().isEmpty()
        && then.versions().stream().allMatch(each -> tape.isWithout(name(), each))) {
      tape.took(then);
      return claim(candidates, lease);
    }
    return entries(Tape.Read.of(then), true)
        .thenCompose(
            entries -> {
              if (!current && entries.stream().anyMatch(each -> each.at().isAfter(tape.now()))) {
                return claim(candidates, lease);
              }
              tape.took(then);
              Instant until = tape.now().plus(lease);
              return CompletableFuture.completedStage(
                  entries.stream().map(each -> new Claim(each, then.at(), until)).toList());
            });
  }

  @Override
  public CompletionStage<Claim> renew(EntryKey key, long token, Duration lease) {
    Instant until = tape.now().plus(lease);
    if (!recorded || !tape.isOrdered()) {
      return versions
          .space(mount.id())
          .get(key, ReadAt.instant(tape.now()))
          .thenApply(entry -> new Claim(entry.orElse(null), token, until));
    }
    return one("renew", Requests.renew(key, token, lease), key, ReadAt.LATEST)
        .thenApply(entry -> new Claim(entry.orElse(null), token, until));
  }

  @Override
  public CompletionStage<Void> release(EntryKey key, long token) {
    return unlessRefused("release", Requests.release(key, token), null);
  }

  /** What was told then of topics or subscriptions; else something harmless. */
  <T> CompletionStage<T> fact(String via, long request, Class<T> type, Supplier<T> otherwise) {
    Optional<Bytes> refused = tape.refusal(via, name(), request);
    if (refused.isPresent()) {
      return failed(refused.get());
    }
    Answer then = tape.fact(via, name(), request);
    if (!then.isGiven()) {
      tape.notPlayed(
          "what it was told of topics or subscriptions of space [%s] (%s)".formatted(name(), via));
    }
    return CompletableFuture.completedStage(
        then.isGiven() ? StateJson.decode(then.reply(), type) : otherwise.get());
  }

  /** Something of which only a failure is recorded. */
  <T> CompletionStage<T> unlessRefused(String via, long request, T done) {
    return tape.refusal(via, name(), request)
        .map(SandboxSpace::<T>failed)
        .orElseGet(() -> CompletableFuture.completedStage(done));
  }

  // ---- watching and topics ----

  @Override
  public CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler) {
    return watch(Requests.watch(request), request.values(), handler);
  }

  CompletionStage<Watch> watch(long request, boolean values, WatchHandler handler) {
    if (!recorded) {
      tape.notPlayed(
          "what its own watch brought of space [%s], whose mount keeps no receipts"
              .formatted(name()));
    }
    return CompletableFuture.completedStage(watches.open(request, values, handler));
  }

  /** Gives a handler what its watch had brought. */
  CompletionStage<Void> deliver(Tape.Raw watched) {
    return watches.deliver(watched);
  }

  @Override
  public MountedTopic topic(String topic) {
    return new SandboxTopic(this, topic);
  }

  @Override
  public CompletionStage<TopicInfo> createTopic(String topic) {
    return fact("create", Requests.topic(topic), TopicInfo.class, () -> new TopicInfo(topic, 0, 0));
  }

  @Override
  public CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor) {
    return fact(
            "topics",
            Requests.topics(limit, cursor),
            Facts.Topics.class,
            () -> new Facts.Topics(List.of(), 0, null))
        .thenApply(Facts.Topics::page);
  }
}
