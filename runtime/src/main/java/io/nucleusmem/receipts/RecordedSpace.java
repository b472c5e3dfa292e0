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
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
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
import java.util.concurrent.CompletionStage;

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
    return life.effect(
        () -> space.write(operations, options),
        (written, failure) ->
            effect("write", Hashes.of(operations), written == null ? List.of() : made(written)));
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
    LifeLog.Mark during = life.current();
    return space
        .get(key, at)
        .thenApply(found -> one("get", during, Requests.get(key, at), key, found));
  }

  private Optional<Entry> one(
      String via, LifeLog.Mark during, long request, EntryKey key, Optional<Entry> found) {
    long revision = found.map(Entry::revision).orElse(0L);
    saw(
        How.READ,
        via,
        during,
        request,
        0,
        List.of(SeenVersion.entry(key.region(), key.name(), revision)));
    return found;
  }

  void saw(
      How how, String via, LifeLog.Mark during, long request, long at, List<SeenVersion> versions) {
    if (receipts) {
      life.read(how, mount().space(), mount().id(), via, during, request, at, versions);
    }
  }

  @Override
  public CompletionStage<Optional<Entry>> pull(EntryKey key, long revision) {
    LifeLog.Mark during = life.current();
    return space
        .pull(key, revision)
        .thenApply(found -> one("pull", during, Requests.pull(key, revision), key, found));
  }

  @Override
  public CompletionStage<Paged<Entry>> scan(ScanRequest request) {
    LifeLog.Mark during = life.current();
    long asked = Requests.scan(request);
    return space
        .scan(request)
        .thenApply(
            page -> {
              saw(How.SCAN, "scan", during, asked, page.revision(), versions(page.items()));
              return page;
            });
  }

  private static List<SeenVersion> versions(List<Entry> entries) {
    return entries.stream()
        .map(e -> SeenVersion.entry(e.key().region(), e.key().name(), e.revision()))
        .toList();
  }

  @Override
  public CompletionStage<Paged<Entry>> history(EntryKey key, int limit, Optional<String> cursor) {
    LifeLog.Mark during = life.current();
    return space
        .history(key, limit, cursor)
        .thenApply(
            page -> {
              saw(
                  How.READ,
                  "history",
                  during,
                  Requests.history(key, limit, cursor),
                  page.revision(),
                  versions(page.items()));
              return page;
            });
  }

  // ---- claims ----

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max) {
    LifeLog.Mark during = life.current();
    long asked = Requests.claim(prefix, worker, lease, max);
    return life.effect(() -> space.claim(prefix, worker, lease, max))
        .thenApply(
            claims -> {
              saw(
                  How.READ,
                  "claim",
                  during,
                  asked,
                  claims.isEmpty() ? 0 : claims.get(0).token(), // one commit: all have the same
                  versions(claims.stream().map(Claim::entry).toList()));
              return claims;
            });
  }

  @Override
  public CompletionStage<Claim> renew(EntryKey key, long token, Duration lease) {
    return life.effect(() -> space.renew(key, token, lease));
  }

  @Override
  public CompletionStage<Void> release(EntryKey key, long token) {
    return life.effect(() -> space.release(key, token));
  }

  // ---- watching and topics ----

  @Override
  public CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler) {
    return space.watch(request, recorded(handler));
  }

  /** A handler that hears of signals when their receipts are on disk. */
  private WatchHandler recorded(WatchHandler handler) {
    if (!receipts) {
      return handler;
    }
    return event ->
        event instanceof WatchEvent.Signals some
            ? life.input(
                    How.SIGNAL,
                    false,
                    mount().space(),
                    mount().id(),
                    "watch",
                    signalled(some.signals()))
                .thenCompose(first -> handler.on(event))
            : handler.on(event);
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
    return life.effect(() -> space.createTopic(name));
  }

  @Override
  public CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor) {
    return space.topics(limit, cursor);
  }

  /** The space without receipts, for the runtime's own watches, which record themselves. */
  public MountedSpace unrecorded() {
    return space;
  }
}
