package io.nucleusmem.memspace;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.store.Bytes;
import java.util.ArrayList;
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

  CompletionStage<TopicInfo> create(MountedSpaceClient space, String topic) {
    return find(space, topic, true).thenCompose(id -> describe(topic, id));
  }

  CompletionStage<Paged<TopicInfo>> list(
      MountedSpaceClient space, int limit, Optional<String> cursor) {
    String scope = "topics/" + space.grant().space();
    String after = cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse("");
    return node.calls()
        .<MemSpace.Description>call(
            (promise, again) ->
                node.spaces().tell(space.grant().space(), new MemSpace.Describe(promise)))
        .thenCompose(
            description -> {
              TreeMap<String, LedgerId> covered = new TreeMap<>(description.topics());
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
                        describe(each.getKey(), each.getValue()),
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
