package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Compactor;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.memspace.SpaceCompaction.Found;
import io.nucleusmem.memspace.SpaceCompaction.Removed;
import io.nucleusmem.memspace.SpaceCompaction.Wanted;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/**
 * Lets a space's retention have its way with its topics: a durable subscription keeps the messages
 * that it has not acknowledged, and a pin or bookmark of the space keeps all of them, see {@link
 * LettingGo}.
 */
final class TopicCompaction {
  private static final int TOKEN_BYTES = 16;

  private final MemSpaceNode node;
  private final Topics topics;
  private final SpaceCompaction compaction;
  private final SecureRandom random = new SecureRandom();

  TopicCompaction(MemSpaceNode node, Topics topics, SpaceCompaction compaction) {
    this.node = node;
    this.topics = topics;
    this.compaction = compaction;
  }

  /**
   * A topic and what is wanted of it.
   *
   * @param floor as it is
   */
  private record Target(String name, LedgerId id, long floor, Wanted wanted) {
    boolean rises() {
      return wanted.floor() > floor;
    }

    Target raisedTo(long now) {
      return new Target(name, id, now, wanted);
    }
  }

  /** Compacts all topics of a space; what it tells of each. */
  CompletionStage<List<Map<String, Object>>> run(
      Found found, boolean dry, BiConsumer<String, Object> tell) {
    return ledgers(found)
        .thenCompose(ledgers -> targets(found, ledgers))
        .thenCompose(targets -> raised(found, targets, dry))
        .thenCompose(
            targets -> {
              List<Map<String, Object>> told = new ArrayList<>();
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Target target : targets) {
                all =
                    all.thenCompose(done -> remove(found, target, dry, tell)).thenAccept(told::add);
              }
              return all.thenApply(done -> told);
            });
  }

  // ---- which topics ----

  private CompletionStage<Map<String, LedgerId>> ledgers(Found found) {
    Map<String, LedgerId> ledgers = new LinkedHashMap<>();
    for (Map.Entry<StateKey, Bytes> each : found.state().entrySet()) {
      if (each.getKey().table() == SpaceRows.TOPICS) {
        ledgers.put(
            each.getKey().key().utf8(),
            Decoded.of(each.getValue(), SpaceRows.Topic.class).ledger());
      }
    }
    return inherits(found) ? inherited(found, ledgers) : CompletableFuture.completedStage(ledgers);
  }

  private static boolean inherits(Found found) {
    Bytes row = found.state().get(ForkRows.FORKED_FROM_KEY);
    return row != null && !StateJson.decode(row, ForkRows.ForkedFrom.class).isOwn();
  }

  /**
   * Adds topics that a fork inherits, as far as they are its own: of those that were looked for.
   */
  private CompletionStage<Map<String, LedgerId>> inherited(
      Found found, Map<String, LedgerId> ledgers) {
    return topics
        .names(found.id())
        .thenCompose(
            names -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Map.Entry<String, LedgerId> each : names.entrySet()) {
                if (!ledgers.containsKey(each.getKey())) {
                  all =
                      all.thenCompose(
                              done ->
                                  new LedgerReader(node.store(), each.getValue())
                                      .state(TopicRows.MANIFEST_KEY))
                          .thenAccept(
                              made -> {
                                if (made.isPresent()) {
                                  ledgers.put(each.getKey(), each.getValue());
                                }
                              });
                }
              }
              return all.thenApply(done -> ledgers);
            });
  }

  // ---- how far ----

  private CompletionStage<List<Target>> targets(Found found, Map<String, LedgerId> ledgers) {
    List<Target> targets = new ArrayList<>();
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (Map.Entry<String, LedgerId> each : ledgers.entrySet()) {
      all =
          all.thenCompose(done -> target(found, each.getKey(), each.getValue()))
              .thenAccept(targets::add);
    }
    return all.thenApply(done -> targets);
  }

  private CompletionStage<Target> target(Found found, String name, LedgerId id) {
    return compaction
        .wanted(id, found.manifest().retention(), found.now(), true)
        .thenCombine(
            unacknowledged(id),
            (wanted, oldest) ->
                found.isPinned()
                    ? Wanted.NOTHING
                    : Wanted.of(
                        Math.min(wanted.floor(), oldest), 0, OptionalLong.empty(), wanted.floor()))
        .thenCombine(
            new LedgerReader(node.store(), id).floor(),
            (wanted, floor) -> new Target(name, id, floor, wanted));
  }

  /** The first message that a durable subscription has not acknowledged. */
  private CompletionStage<Long> unacknowledged(LedgerId topic) {
    return new LedgerReader(node.store(), Topic.progressOf(topic))
        .state()
        .thenApply(
            rows -> {
              long oldest = Long.MAX_VALUE;
              for (Map.Entry<StateKey, Bytes> each : rows.entrySet()) {
                if (each.getKey().table() == TopicRows.SUBSCRIPTIONS) {
                  oldest =
                      Math.min(
                          oldest,
                          StateJson.decode(each.getValue(), TopicRows.SubscriptionRow.class).floor()
                              + 1);
                }
              }
              return oldest;
            });
  }

  // ---- letting go ----

  /** Raises the floors, all before a pin can be made; none where one was made before. */
  private CompletionStage<List<Target>> raised(Found found, List<Target> targets, boolean dry) {
    if (targets.stream().noneMatch(Target::rises)) {
      return CompletableFuture.completedStage(targets);
    }
    if (dry) {
      return CompletableFuture.completedStage(
          targets.stream()
              .map(each -> each.rises() ? each.raisedTo(each.wanted().floor()) : each)
              .toList());
    }
    byte[] bytes = new byte[TOKEN_BYTES];
    random.nextBytes(bytes);
    Bytes token = Bytes.wrap(bytes);
    return apply(found.id(), new LettingGo.BeginLettingGo(token))
        .thenCompose(
            begun ->
                begun.record().changes().isEmpty()
                    ? CompletableFuture.completedStage(targets) // pinned meanwhile
                    : raised(targets, lastOf(begun))
                        .thenCompose(
                            done ->
                                apply(found.id(), new LettingGo.EndLettingGo(token))
                                    .thenApply(ended -> done)));
  }

  private static long lastOf(Outcome begun) {
    return Timestamps.firstOf(Timestamps.millis(begun.timestamp()) + LettingGo.RAISING.toMillis());
  }

  private CompletionStage<List<Target>> raised(List<Target> targets, long notAfter) {
    List<Target> raised = new ArrayList<>();
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (Target each : targets) {
      all =
          all.thenCompose(
                  done ->
                      each.rises()
                          ? compaction
                              .raise(
                                  node.topics(), each.id(), each.wanted().floor(), notAfter, false)
                              .thenApply(each::raisedTo)
                          : CompletableFuture.completedStage(each))
              .thenAccept(raised::add);
    }
    return all.thenApply(done -> raised);
  }

  private CompletionStage<Outcome> apply(LedgerId space, SpaceCommand command) {
    return node.calls()
        .call((promise, again) -> node.spaces().tell(space, new MemSpace.Apply(command, promise)));
  }

  // ---- removing ----

  private CompletionStage<Map<String, Object>> remove(
      Found found, Target target, boolean dry, BiConsumer<String, Object> tell) {
    Compactor.Cut cut = target.wanted().at(target.floor(), true);
    Compactor compactor = compaction.compactor(target.id(), cut, found.now(), dry);
    return compaction
        .remove(compactor, target.floor(), tell, "topic_")
        .thenCompose(done -> compaction.copies(found, target.id(), cut, dry))
        .thenApply(copied -> told(target, compactor, copied));
  }

  private static Map<String, Object> told(Target target, Compactor compactor, Removed copied) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("topic", target.name());
    told.put("floor", target.floor());
    told.put("messages", compactor.versions() + copied.versions());
    told.put("bytes", compactor.bytes() + copied.bytes());
    return told;
  }
}
