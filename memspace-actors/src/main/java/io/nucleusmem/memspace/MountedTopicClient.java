package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
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
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A topic on the caller's node. Reads are checked by the mounted space it belongs to, publications
 * by the owner.
 */
final class MountedTopicClient implements MountedTopic {
  private static final int PULL_MAX = 1_000;
  private static final Duration WAIT_MAX = Duration.ofSeconds(60);
  private static final int DELIVERIES_MAX = 1_000;
  private static final Duration REDELIVER_MAX = Duration.ofHours(24);

  private final MountedSpaceClient space;
  private final String name;
  private final Topics topics;
  private final MemSpaceNode node;
  private final WatchHub hub;

  MountedTopicClient(
      MountedSpaceClient space, String name, Topics topics, MemSpaceNode node, WatchHub hub) {
    this.space = space;
    this.name = name;
    this.topics = topics;
    this.node = node;
    this.hub = hub;
  }

  @Override
  public String name() {
    return name;
  }

  // ---- publishing and reading ----

  @Override
  public CompletionStage<Published> publish(
      Content content, Optional<String> to, WriteOptions options) {
    return publish(space.mount().holder(), content, to, options);
  }

  /** Publishes by this mount what an author wrote; he may be another than its holder. */
  CompletionStage<Published> publish(
      String author, Content content, Optional<String> to, WriteOptions options) {
    return checked(
        () -> {
          space.client().limits().content(content);
          options.requestId().ifPresent(Limits::requestId);
          to.ifPresent(id -> Limits.word("to", id));
          MountInfo mount = space.mount();
          if (!mount.access().mayAppend()) {
            throw SpaceCommand.notCovered(mount, "topic " + name);
          }
          RequestStamp stamp =
              options
                  .requestId()
                  .map(
                      id ->
                          RequestStamp.of(
                              id,
                              Limits.hash(
                                  author,
                                  name,
                                  to,
                                  content.contentType(),
                                  content.metadata(),
                                  content.value())))
                  .orElseGet(() -> RequestStamp.fresh(0));
          boolean given = options.requestId().isPresent();
          return topics
              .find(space, name, true)
              .thenCompose(
                  id ->
                      node.calls()
                          .<Outcome>call(
                              (promise, again) ->
                                  node.topics()
                                      .tell(
                                          id,
                                          new Topic.Publish(
                                              mount.id(),
                                              author,
                                              stamp,
                                              again || given,
                                              content,
                                              to.orElse(null),
                                              promise))))
              .thenApply(
                  outcome ->
                      new Published(
                          Message.id(name, outcome.timestamp(), outcome.record().author()),
                          outcome.revision(),
                          outcome.timestamp(),
                          outcome.replayed()));
        });
  }

  @Override
  public CompletionStage<Optional<Message>> message(long revision) {
    return found(
        id ->
            node.reader(id)
                .exact(TopicRows.message(revision), revision)
                .thenCompose(
                    version ->
                        version.isPresent()
                            ? CompletableFuture.completedFuture(
                                version.map(found -> readable(message(found, true))))
                            : unlessCompacted(id, revision, Optional.empty())));
  }

  /** Looks at the floor after a read that a compaction may have overtaken. */
  private <T> CompletionStage<T> unlessCompacted(LedgerId id, long from, T read) {
    return node.reader(id)
        .floor(from)
        .thenApply(
            oldest -> {
              if (from < oldest) {
                throw new CompactedException(from, oldest);
              }
              return read;
            });
  }

  private static Message readable(Message message) {
    Tombstones.refuse(message.id(), message.revision(), message.content());
    return message;
  }

  private Message message(Version version, boolean values) {
    Content content = ContentCodec.decode(space.show(version).body());
    return new Message(
        Message.id(name, version.timestamp(), version.author()),
        name,
        version.revision(),
        version.timestamp(),
        version.author(),
        Optional.ofNullable(version.to()),
        values ? content : ContentCodec.describe(content));
  }

  @Override
  public CompletionStage<Paged<Message>> fetch(MessageRange range) {
    return checked(
        () -> {
          Limits.page(range.limit());
          return found(
              id -> {
                String scope =
                    "messages/%s/%s/%s/%s"
                        .formatted(id, range.from(), range.until(), range.direction());
                Optional<Cursor> cursor = range.cursor().map(text -> Cursor.decode(text, scope));
                CompletionStage<Long> newest =
                    cursor.isPresent()
                        ? CompletableFuture.completedFuture(cursor.get().revision())
                        : newest(id);
                return newest.thenCompose(
                    upTo ->
                        bounds(id, range, upTo)
                            .thenCompose(
                                bounds ->
                                    page(id, range, bounds, upTo, scope, cursor.map(Cursor::at))
                                        .thenCompose(
                                            page ->
                                                range.from().isPresent() && bounds[0] <= bounds[1]
                                                    ? unlessCompacted(id, bounds[0], page)
                                                    : CompletableFuture.completedFuture(page))));
              });
        });
  }

  /** First and last revision of a range. */
  private CompletionStage<long[]> bounds(LedgerId id, MessageRange range, long newest) {
    CompletionStage<Long> from =
        range
            .from()
            .map(bound -> revision(id, bound, true, newest))
            .orElse(CompletableFuture.completedFuture(0L));
    CompletionStage<Long> until =
        range
            .until()
            .map(bound -> revision(id, bound, false, newest))
            .orElse(CompletableFuture.completedFuture(newest));
    return from.thenCombine(until, (first, last) -> new long[] {first, Math.min(last, newest)});
  }

  private CompletionStage<Long> revision(
      LedgerId id, MessageRange.Bound bound, boolean from, long newest) {
    if (bound instanceof MessageRange.Bound.Revision revision) {
      return CompletableFuture.completedFuture(revision.revision());
    }
    Instant instant = ((MessageRange.Bound.Time) bound).instant();
    long millis = instant.toEpochMilli();
    long timestamp = from ? Timestamps.firstOf(millis) - 1 : Timestamps.lastOf(millis);
    return node.store()
        .now()
        .thenCompose(
            now ->
                timestamp >= now
                    ? CompletableFuture.completedFuture(from ? Long.MAX_VALUE - 2 : newest)
                    : node.calls()
                        .<Long>call(
                            (promise, again) ->
                                node.topics()
                                    .tell(id, new LedgerOwner.RevisionAt(timestamp, promise)))
                        .thenApply(revision -> from ? revision + 1 : revision));
  }

  private CompletionStage<Paged<Message>> page(
      LedgerId id,
      MessageRange range,
      long[] bounds,
      long newest,
      String scope,
      Optional<Bytes> at) {
    boolean ascending = range.direction() == Direction.ASCENDING;
    KeyRange rows =
        new KeyRange(
            LedgerKeys.versionsStart(id, TopicRows.message(Math.max(bounds[0], 0))),
            LedgerKeys.versionsStart(id, TopicRows.message(bounds[1] + 1)));
    if (at.isPresent()) {
      rows = ascending ? rows.startingAt(at.get()) : rows.endingAt(at.get());
    }
    if (bounds[0] > bounds[1] || rows.isEmpty()) {
      return CompletableFuture.completedFuture(new Paged<>(List.of(), newest, Optional.empty()));
    }
    return node.reader(id)
        .scan(rows, newest, range.limit(), range.direction())
        .thenApply(
            page ->
                new Paged<>(
                    page.versions().stream()
                        .map(version -> message(version, range.values()))
                        .toList(),
                    newest,
                    page.rest()
                        .map(
                            rest ->
                                new Cursor(scope, newest, ascending ? rest.from() : rest.to())
                                    .encode())));
  }

  private CompletionStage<Long> newest(LedgerId id) {
    return node.newest(node.topics(), id);
  }

  @Override
  public CompletionStage<Watch> watch(
      OptionalLong from, Optional<String> to, boolean values, WatchHandler handler) {
    Predicate<Change.OfEntry> filter =
        to.<Predicate<Change.OfEntry>>map(
                me -> change -> change.to() == null || change.to().equals(me))
            .orElse(change -> true);
    return madeOrFound(
        id ->
            hub.open(
                new OwnerSource(id, node.reader(id), node.topics()),
                space,
                filter,
                from,
                values,
                handler));
  }

  // ---- durable subscriptions ----

  @Override
  public CompletionStage<SubscriptionInfo> subscribe(String subscription, SubscriptionSpec spec) {
    return checked(
        () -> {
          Limits.name("subscription", subscription);
          spec.to().ifPresent(id -> Limits.word("to", id));
          if (spec.deliveriesMax() < 1 || spec.deliveriesMax() > DELIVERIES_MAX) {
            throw MemSpaceException.invalid(
                "deliveries_max", spec.deliveriesMax(), "1 to " + DELIVERIES_MAX);
          }
          long millis = spec.redeliverAfter().toMillis();
          if (millis < 1 || millis > REDELIVER_MAX.toMillis()) {
            throw MemSpaceException.invalid(
                "redeliver_after_ms", millis, "1 to " + REDELIVER_MAX.toMillis());
          }
          return madeOrFound(
              id ->
                  ask(
                      id,
                      promise ->
                          new Topic.Subscribe(
                              subscription, spec, space.mount().holder(), promise)));
        });
  }

  @Override
  public CompletionStage<List<Delivery>> pull(String subscription, int max, Duration wait) {
    return checked(
        () -> {
          if (max < 1 || max > PULL_MAX) {
            throw MemSpaceException.invalid("max", max, "1 to " + PULL_MAX);
          }
          if (wait.isNegative() || wait.compareTo(WAIT_MAX) > 0) {
            throw MemSpaceException.invalid(
                "wait_ms", wait.toMillis(), "0 to " + WAIT_MAX.toMillis());
          }
          return found(id -> pullRounds(id, subscription, max, System.nanoTime() + wait.toNanos()));
        });
  }

  /** A long wait is many short ones: each within the time that one call may take. */
  private CompletionStage<List<Delivery>> pullRounds(
      LedgerId id, String subscription, int max, long until) {
    long left = Math.max(0, (until - System.nanoTime()) / 1_000_000);
    long round = Math.min(left, node.settings().attemptTimeout().toMillis() / 2);
    return node.calls()
        .<List<Topic.Taken>>call(
            Duration.ofMillis(round),
            (promise, again) ->
                node.topics().tell(id, new Topic.Pull(subscription, max, round, promise)))
        .thenCompose(
            taken ->
                taken.isEmpty() && left > round
                    ? space.guarded(() -> pullRounds(id, subscription, max, until))
                    : deliveries(id, taken));
  }

  private CompletionStage<List<Delivery>> deliveries(LedgerId id, List<Topic.Taken> taken) {
    ForkReader reader = node.reader(id);
    CompletionStage<List<Delivery>> all = CompletableFuture.completedFuture(new ArrayList<>());
    for (Topic.Taken each : taken) {
      all =
          all.thenCombine(
              reader.exact(TopicRows.message(each.revision()), each.revision()),
              (list, version) -> {
                version.ifPresent(
                    found -> list.add(new Delivery(message(found, true), each.delivery())));
                return list;
              });
    }
    return all;
  }

  @Override
  public CompletionStage<Void> ack(String subscription, List<Long> revisions) {
    return settle(subscription, true, revisions);
  }

  @Override
  public CompletionStage<Void> nack(String subscription, List<Long> revisions) {
    return settle(subscription, false, revisions);
  }

  private CompletionStage<Void> settle(String subscription, boolean ack, List<Long> revisions) {
    return checked(
        () -> {
          if (revisions.size() > PULL_MAX) {
            throw MemSpaceException.tooLarge("revisions", revisions.size(), PULL_MAX, "revisions");
          }
          return found(
              id ->
                  this.<Boolean>ask(
                          id,
                          promise ->
                              new Topic.Settle(subscription, ack, List.copyOf(revisions), promise))
                      .thenApply(done -> null));
        });
  }

  @Override
  public CompletionStage<SubscriptionInfo> subscription(String subscription) {
    return found(
        id ->
            this.<List<SubscriptionInfo>>ask(
                    id, promise -> new Topic.Inspect(subscription, promise))
                .thenApply(list -> list.get(0)));
  }

  @Override
  public CompletionStage<List<SubscriptionInfo>> subscriptions() {
    return found(id -> ask(id, promise -> new Topic.Inspect(null, promise)));
  }

  @Override
  public CompletionStage<Void> unsubscribe(String subscription) {
    return found(
        id ->
            this.<Boolean>ask(
                    id,
                    promise -> new Topic.Unsubscribe(subscription, space.mount().holder(), promise))
                .thenApply(done -> null));
  }

  // ---- the way there ----

  private <T> CompletionStage<T> ask(
      LedgerId id, Function<Promise<T>, LedgerOwner.Message> message) {
    return node.calls().call((promise, again) -> node.topics().tell(id, message.apply(promise)));
  }

  /** Reads of a topic that must be there. */
  private <T> CompletionStage<T> found(Function<LedgerId, CompletionStage<T>> read) {
    return space.guarded(() -> topics.find(space, name, false).thenCompose(read));
  }

  /** Listening to a topic makes it, for those who could have made it by writing. */
  private <T> CompletionStage<T> madeOrFound(Function<LedgerId, CompletionStage<T>> read) {
    boolean mayMake = space.mount().access().mayAppend() && !space.grant().archived();
    return space.guarded(() -> topics.find(space, name, mayMake).thenCompose(read));
  }

  private static <T> CompletionStage<T> checked(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }
}
