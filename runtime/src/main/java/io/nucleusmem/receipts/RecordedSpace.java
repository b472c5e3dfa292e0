package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.memspace.TopicInfo;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * A mounted space as an agent gets it: what it reads is recorded, what it writes waits until that
 * is on disk.
 */
public final class RecordedSpace implements MountedSpace {
  private final MountedSpace space;
  private final LifeLog life;
  private final boolean receipts;

  /**
   * @param receipts false: what is read here is not recorded; what is written waits all the same
   */
  public RecordedSpace(MountedSpace space, LifeLog life, boolean receipts) {
    this.space = space;
    this.life = life;
    this.receipts = receipts;
  }

  LifeLog life() {
    return life;
  }

  /** Whether what is read here is recorded. */
  public boolean receipts() {
    return receipts;
  }

  @Override
  public MountInfo mount() {
    return space.mount();
  }

  @Override
  public long seen() {
    return space.seen();
  }

  // ---- writes ----

  @Override
  public CompletionStage<Written> write(List<Operation> operations, WriteOptions options) {
    LifeLog.Mark during = life.current();
    long request = Hashes.of(operations);
    return life.effect(
        () -> space.write(operations, options),
        (written, failure) -> {
          if (Failures.unwrap(failure) instanceof RevisionMismatchException refused) {
            refused
                .current() // the refusal shows what is there: that is a read
                .ifPresent(
                    found ->
                        saw(How.READ, "refusal", during, request, 0, versions(List.of(found))));
          }
          return effect("write", request, written == null ? List.of() : made(written));
        });
  }

  private static List<SeenVersion> made(Written written) {
    List<SeenVersion> versions = new ArrayList<>();
    for (Written.Result result : written.results()) {
      EntryKey key = result.key();
      versions.add(SeenVersion.entry(key.region(), key.name(), written.revision()));
    }
    return versions;
  }

  LifeLog.Effect effect(String kind, long request, List<SeenVersion> versions) {
    return new LifeLog.Effect(kind, mount().space(), mount().id(), request, versions);
  }

  // ---- reads ----

  @Override
  public CompletionStage<Optional<Entry>> get(EntryKey key, ReadAt at) {
    return one("get", Requests.get(key, at), key, space.get(key, at));
  }

  private CompletionStage<Optional<Entry>> one(
      String via, long request, EntryKey key, CompletionStage<Optional<Entry>> read) {
    return seen(
        How.READ,
        via,
        request,
        read,
        found -> 0L,
        found -> {
          long revision = found.map(Entry::revision).orElse(0L);
          return List.of(SeenVersion.entry(key.region(), key.name(), revision));
        });
  }

  /**
   * A read that is recorded before anybody has it, also where it fails.
   *
   * @param at see {@link LogRecord.Delivered}
   */
  <T> CompletionStage<T> seen(
      How how,
      String via,
      long request,
      CompletionStage<T> read,
      ToLongFunction<T> at,
      Function<T, List<SeenVersion>> versions) {
    LifeLog.Mark during = life.reads();
    return read.whenComplete(
        (found, failure) -> {
          if (failure == null) {
            saw(how, via, during, request, at.applyAsLong(found), versions.apply(found));
          } else if (receipts) {
            life.calls().refused(via, mount().space(), during, request, failure);
          }
        });
  }

  void saw(
      How how, String via, LifeLog.Mark during, long request, long at, List<SeenVersion> versions) {
    if (receipts) {
      life.read(how, mount().space(), mount().id(), via, during, request, at, versions);
    }
  }

  @Override
  public CompletionStage<Optional<Entry>> pull(EntryKey key, long revision) {
    return one("pull", Requests.pull(key, revision), key, space.pull(key, revision));
  }

  @Override
  public CompletionStage<Paged<Entry>> scan(ScanRequest request) {
    return page(How.SCAN, "scan", Requests.scan(request), space.scan(request));
  }

  private CompletionStage<Paged<Entry>> page(
      How how, String via, long request, CompletionStage<Paged<Entry>> read) {
    return page(how, via, request, read, RecordedSpace::versions);
  }

  /** A page, with where the next one begins: only then is it the same request in a rerun. */
  <T> CompletionStage<Paged<T>> page(
      How how,
      String via,
      long request,
      CompletionStage<Paged<T>> read,
      Function<List<T>, List<SeenVersion>> versions) {
    LifeLog.Mark during = life.reads();
    return seen(
        how,
        via,
        request,
        read.whenComplete(
            (page, failure) -> {
              if (receipts && page != null && page.next().isPresent()) {
                life.calls().next(via, mount().space(), during, request, page.next().get());
              }
            }),
        Paged::revision,
        page -> versions.apply(page.items()));
  }

  private static List<SeenVersion> versions(List<Entry> entries) {
    return entries.stream()
        .map(e -> SeenVersion.entry(e.key().region(), e.key().name(), e.revision()))
        .toList();
  }

  @Override
  public CompletionStage<Paged<Entry>> history(EntryKey key, int limit, Optional<String> cursor) {
    return page(
        How.READ,
        "history",
        Requests.history(key, limit, cursor),
        space.history(key, limit, cursor));
  }

  // ---- claims ----

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max) {
    return seen(
        How.READ,
        "claim",
        Requests.claim(prefix, worker, lease, max),
        life.effect(() -> space.claim(prefix, worker, lease, max)),
        claims -> claims.isEmpty() ? 0 : claims.get(0).token(), // one commit: all have the same
        claims -> versions(claims.stream().map(Claim::entry).toList()));
  }

  @Override
  public CompletionStage<Claim> renew(EntryKey key, long token, Duration lease) {
    return seen(
        How.READ,
        "renew",
        Requests.renew(key, token, lease),
        life.effect(() -> space.renew(key, token, lease)),
        claim -> 0L,
        claim ->
            Stream.ofNullable(claim.entry()).flatMap(e -> versions(List.of(e)).stream()).toList());
  }

  @Override
  public CompletionStage<Void> release(EntryKey key, long token) {
    return unlessRefused(
        "release", Requests.release(key, token), life.effect(() -> space.release(key, token)));
  }

  /** Something of which only a failure is recorded. */
  <T> CompletionStage<T> unlessRefused(String via, long request, CompletionStage<T> done) {
    LifeLog.Mark during = life.current();
    return done.whenComplete(
        (any, failure) -> {
          if (failure != null && receipts) {
            life.calls().refused(via, mount().space(), during, request, failure);
          }
        });
  }

  // ---- watching and topics ----

  @Override
  public CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler) {
    return space.watch(
        request, recorded(How.SIGNAL, Requests.watch(request), RecordedSpace::signalled, handler));
  }

  /** A handler that hears of signals when their receipts are on disk. */
  WatchHandler recorded(
      How how,
      long request,
      Function<List<Signal>, List<SeenVersion>> versions,
      WatchHandler handler) {
    if (!receipts) {
      return handler;
    }
    LifeLog.OwnWatch own = life.watching(request);
    return event ->
        event instanceof WatchEvent.Signals some
            ? life.input(how, mount().space(), mount().id(), own, versions.apply(some.signals()))
                .thenCompose(first -> handled(first, event, handler))
            : handler.on(event);
  }

  /** What the handler reads and does belongs to the signals. */
  private CompletionStage<?> handled(long input, WatchEvent event, WatchHandler handler) {
    LifeLog.Worked<CompletionStage<?>> done =
        life.during(life.markOf("", 0, input), () -> handler.on(event));
    return done.failure() == null ? done.result() : CompletableFuture.failedStage(done.failure());
  }

  private static List<SeenVersion> signalled(List<Signal> signals) {
    return signals.stream()
        .map(s -> SeenVersion.entry(s.key().region(), s.key().name(), s.revision()))
        .toList();
  }

  @Override
  public MountedTopic topic(String name) {
    return new RecordedTopic(this, space.topic(name));
  }

  @Override
  public CompletionStage<TopicInfo> createTopic(String name) {
    return fact("create", Requests.topic(name), life.effect(() -> space.createTopic(name)));
  }

  @Override
  public CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor) {
    return fact(
            "topics",
            Requests.topics(limit, cursor),
            space.topics(limit, cursor).thenApply(Facts.Topics::of))
        .thenApply(Facts.Topics::page);
  }

  /** Something of which the answer itself is recorded: it is no content. */
  <T> CompletionStage<T> fact(String via, long request, CompletionStage<T> asked) {
    LifeLog.Mark during = life.current();
    return asked.whenComplete(
        (found, failure) -> {
          if (receipts && failure == null) {
            life.calls().told(via, mount().space(), during, request, StateJson.encode(found));
          } else if (receipts) {
            life.calls().refused(via, mount().space(), during, request, failure);
          }
        });
  }

  /** The space without receipts, for the runtime's own watches, which record themselves. */
  public MountedSpace unrecorded() {
    return space;
  }
}
