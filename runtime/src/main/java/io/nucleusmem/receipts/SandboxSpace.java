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
import io.nucleusmem.memspace.ScanRequest;
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

/**
 * A space as a rerun gets it: reads give what they gave then, writes go to a scratch fork. What the
 * rerun has written itself it reads there.
 */
final class SandboxSpace implements MountedSpace {
  private final MountInfo mount;
  private final Tape tape;
  private final VersionSource versions;
  private final Optional<MountedSpace> scratch;
  private final Set<EntryKey> own = ConcurrentHashMap.newKeySet(); // written by the rerun

  /**
   * @param mount that the agent had
   * @param scratch where writes go; empty: nowhere
   */
  SandboxSpace(MountInfo mount, Tape tape, VersionSource versions, Optional<MountedSpace> scratch) {
    this.mount = mount;
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
      return failedThen();
    }
    List<Operation> plain = new ArrayList<>();
    for (int i = 0; i < operations.size(); i++) {
      String key = then.isPresent() ? then.get().versions().get(i).key() : null;
      plain(operations.get(i), key).ifPresent(plain::add);
    }
    plain.forEach(operation -> own.add(operation.key()));
    CompletionStage<Written> written = written(plain);
    if (then.isEmpty()) {
      return written.thenCompose(
          made -> made == null ? nothing(operations) : CompletableFuture.completedStage(made));
    }
    return written.thenCompose(made -> asThen(operations, then.get()));
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
    long revision = then.versions().get(0).revision();
    CompletionStage<List<Written.Result>> results =
        CompletableFuture.completedStage(new ArrayList<>());
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      SeenVersion version = then.versions().get(i);
      boolean told = operation instanceof Operation.Add || operation instanceof Operation.Merge;
      CompletionStage<Optional<Entry>> value =
          told
              ? versions.entry(then.mount(), version)
              : CompletableFuture.completedStage(Optional.empty());
      results =
          results.thenCombine(
              value,
              (list, entry) -> {
                list.add(
                    new Written.Result(
                        new EntryKey(version.region(), version.key()),
                        entry.map(Entry::content).orElse(null)));
                return list;
              });
    }
    return results.thenApply(list -> new Written(revision, 0, list, false));
  }

  // ---- reads ----

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
    if (own.contains(key) && !Requests.isPast(at) && scratch.isPresent()) {
      tape.read("get", name(), Requests.get(key, at));
      return scratch.get().get(key);
    }
    return one("get", Requests.get(key, at), key, at);
  }

  private CompletionStage<Optional<Entry>> one(
      String via, long request, EntryKey key, ReadAt otherwise) {
    Optional<Tape.Read> then = tape.read(via, name(), request);
    return then.isPresent()
        ? entry(then.get().mount(), then.get().versions().get(0))
        : versions
            .space(mount.id())
            .get(key, past(otherwise))
            .thenCompose(
                found ->
                    found.isEmpty()
                        ? CompletableFuture.completedStage(found)
                        : entry(mount.id(), seen(found.get())));
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
    Optional<Tape.Read> then = tape.read("scan", name(), Requests.scan(request));
    if (then.isEmpty()) {
      return versions
          .space(mount.id())
          .scan(request.at(past(request.at())))
          .thenCompose(
              page ->
                  entries(
                          new Tape.Read(
                              mount.id(),
                              page.revision(),
                              page.items().stream().map(SandboxSpace::seen).toList()),
                          request.values())
                      .thenApply(items -> new Paged<>(items, page.revision(), page.next())));
    }
    CompletionStage<Optional<String>> next =
        then.get().versions().size() < request.limit()
            ? CompletableFuture.completedStage(Optional.empty())
            : versions
                .space(mount.id())
                .scan(request.at(ReadAt.revision(then.get().at())))
                .thenApply(Paged::next);
    return entries(then.get(), request.values())
        .thenCombine(next, (items, cursor) -> new Paged<>(items, then.get().at(), cursor));
  }

  private CompletionStage<List<Entry>> entries(Tape.Read then, boolean values) {
    CompletionStage<List<Entry>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (SeenVersion version : then.versions()) {
      EntryKey key = new EntryKey(version.region(), version.key());
      CompletionStage<Optional<Entry>> entry =
          own.contains(key) && scratch.isPresent()
              ? scratch.get().get(key)
              : entry(then.mount(), version);
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
    Optional<Tape.Read> then = tape.read("history", name(), Requests.history(key, limit, cursor));
    return then.isEmpty()
        ? versions.space(mount.id()).history(key, limit, cursor)
        : entries(then.get(), true)
            .thenApply(items -> new Paged<>(items, then.get().at(), Optional.empty()));
  }

  // ---- claims: whoever claims in a rerun gets what was claimed then, and holds nothing ----

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max) {
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
    return versions
        .space(mount.id())
        .get(key, ReadAt.instant(tape.now()))
        .thenApply(entry -> new Claim(entry.orElse(null), token, tape.now().plus(lease)));
  }

  @Override
  public CompletionStage<Void> release(EntryKey key, long token) {
    return CompletableFuture.completedStage(null);
  }

  // ---- watching and topics ----

  @Override
  public CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler) {
    tape.diverged("it watches a space by itself; a rerun feeds what the context watches");
    return failedThen();
  }

  @Override
  public MountedTopic topic(String topic) {
    return new SandboxTopic(this, topic);
  }

  @Override
  public CompletionStage<TopicInfo> createTopic(String topic) {
    return CompletableFuture.completedStage(new TopicInfo(topic, 0, 0));
  }

  @Override
  public CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor) {
    return versions.space(mount.id()).topics(limit, cursor);
  }
}
