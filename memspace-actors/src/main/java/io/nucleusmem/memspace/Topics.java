package io.nucleusmem.memspace;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.store.Bytes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Finds the ledgers of topics. A name's ledger never changes while its space lives, so it is asked
 * for once.
 */
final class Topics {
  private static final int NAMES_MAX = 10_000;
  private static final String SYSTEM = "system";

  private record Name(LedgerId space, String topic) {}

  private final MemSpaceNode node;
  private final WatchHub hub;
  private final Cache<Name, LedgerId> known = Caffeine.newBuilder().maximumSize(NAMES_MAX).build();

  Topics(MemSpaceNode node, WatchHub hub) {
    this.node = node;
    this.hub = hub;
  }

  MountedTopic open(MountedSpaceClient space, String name) {
    return new MountedTopicClient(space, name, this, node, hub);
  }

  /** The topic's ledger; made where it is not there and that is wanted. */
  CompletionStage<LedgerId> find(MountedSpaceClient space, String topic, boolean make) {
    Name name = new Name(space.grant().space(), topic);
    LedgerId id = known.getIfPresent(name);
    if (id != null) {
      return CompletableFuture.completedFuture(id);
    }
    return node.calls()
        .<LedgerId>call(
            (promise, again) ->
                node.spaces()
                    .tell(
                        name.space(),
                        new MemSpace.FindTopic(
                            topic, make, space.mount().holder(), space.mount().id(), promise)))
        .thenApply(
            found -> {
              known.put(name, found);
              return found;
            });
  }

  /**
   * The ledger of a topic, for the system's own work; one that a fork inherits is made with that.
   * Empty if there is none, or was none at the time of the fork.
   */
  CompletionStage<Optional<LedgerId>> find(LedgerId space, String topic) {
    return node.calls()
        .<LedgerId>call(
            (promise, again) ->
                node.spaces()
                    .tell(space, new MemSpace.FindTopic(topic, false, SYSTEM, null, promise)))
        .handle(
            (found, failure) -> {
              if (failure == null) {
                return Optional.of(found);
              }
              MemSpaceException why = Calls.explain(failure);
              if (why.code() != ErrorCode.TOPIC_NOT_FOUND) {
                throw why;
              }
              return Optional.empty();
            });
  }

  CompletionStage<TopicInfo> create(MountedSpaceClient space, String topic) {
    return find(space, topic, true).thenCompose(id -> describe(topic, id));
  }

  CompletionStage<Paged<TopicInfo>> list(
      MountedSpaceClient space, int limit, Optional<String> cursor) {
    String scope = "topics/" + space.grant().space();
    String after = cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse("");
    return names(space.grant().space())
        .thenCompose(
            names -> {
              TreeMap<String, LedgerId> covered = new TreeMap<>(names);
              covered.keySet().removeIf(name -> !space.mount().coversTopic(name));
              CompletionStage<List<TopicInfo>> items =
                  CompletableFuture.completedFuture(new ArrayList<>());
              Map<String, LedgerId> behind = covered.tailMap(after, false);
              int taken = 0;
              String last = after;
              for (Map.Entry<String, LedgerId> each : behind.entrySet()) {
                if (taken++ == limit) {
                  break;
                }
                last = each.getKey();
                items =
                    items.thenCombine(
                        // an inherited one may not have been looked for before
                        find(space, each.getKey(), false)
                            .thenCompose(id -> describe(each.getKey(), id)),
                        (list, info) -> {
                          list.add(info);
                          return list;
                        });
              }
              Optional<String> next =
                  behind.size() > limit
                      ? Optional.of(new Cursor(scope, 0, Bytes.utf8(last)).encode())
                      : Optional.empty();
              return items.thenApply(list -> new Paged<>(list, 0, next));
            });
  }

  /**
   * The topics of a space and their ledgers; those that a fork finds in its base may not have been
   * made yet.
   */
  CompletionStage<Map<String, LedgerId>> names(LedgerId space) {
    return listed(space)
        .thenApply(
            topics -> {
              Map<String, LedgerId> names = new HashMap<>();
              topics.forEach((name, topic) -> names.put(name, topic.ledger()));
              return names;
            });
  }

  /** As {@link #names}, with when they were listed. */
  CompletionStage<Map<String, SpaceRows.Topic>> listed(LedgerId space) {
    CompletionStage<MemSpace.Description> own =
        node.calls()
            .call((promise, again) -> node.spaces().tell(space, new MemSpace.Describe(promise)));
    return own.thenCombine(
            node.reader(space).own().state(ForkRows.FORKED_FROM_KEY),
            (description, from) ->
                from.map(row -> StateJson.decode(row, ForkRows.ForkedFrom.class))
                    .filter(origin -> !origin.isOwn())
                    .map(
                        origin ->
                            listed(origin.ledger())
                                .thenApply(
                                    base ->
                                        InheritedTopics.over(
                                            base, origin, space, description.topics())))
                    .orElse(CompletableFuture.completedStage(description.topics())))
        .thenCompose(topics -> topics);
  }

  /** Straight from the store: listing topics starts no owner. */
  private CompletionStage<TopicInfo> describe(String topic, LedgerId id) {
    return new LedgerReader(node.store(), id)
        .newestRow()
        .thenCombine(
            new LedgerReader(node.store(), Topic.progressOf(id)).state(),
            (row, state) ->
                new TopicInfo(
                    topic,
                    row.map(newest -> newest.last()).orElse(0L),
                    (int)
                        state.keySet().stream()
                            .filter(key -> key.table() == TopicRows.SUBSCRIPTIONS)
                            .count()));
  }
}
