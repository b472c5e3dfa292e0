package io.nucleusmem.memspace;

import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerEraser;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The dead letters of one subscription: copies in the topic {@code TOPIC.dead}, made once each.
 *
 * <p>An erasure must not be outrun by a copy. So the space's rules are looked at before a message
 * is copied, and once more behind it: a rule that came in between covers the copy too (its metadata
 * name the time of the original), but may have been carried out before the copy was there; then
 * what stands in the place of the original is written over the copy.
 */
final class DeadLetters {
  static final String AT = "dead-at"; // metadata: the store's time of the original
  private static final String DEAD = ".dead";
  private static final String NO_ERASURE = ""; // ends none, and tells the nodes all the same

  private final MemSpaceNode node;
  private final LedgerId topic;
  private final TopicRows.Manifest manifest;
  private final String subscription;
  private final int deliveriesMax;

  DeadLetters(
      MemSpaceNode node,
      LedgerId topic,
      TopicRows.Manifest manifest,
      String subscription,
      int deliveriesMax) {
    this.node = node;
    this.topic = topic;
    this.manifest = manifest;
    this.subscription = subscription;
    this.deliveriesMax = deliveriesMax;
  }

  private String author() {
    return "subscription/" + subscription;
  }

  private LedgerId space() {
    return LedgerId.parse(manifest.spaceId());
  }

  /** Copies a message. */
  CompletionStage<Void> bury(long revision) {
    return look(revision)
        .thenCompose(before -> deadTopic().thenCompose(dead -> copy(dead, revision, before)));
  }

  private CompletionStage<Void> copy(LedgerId dead, long revision, Seen before) {
    return publish(dead, revision, before.shown())
        .thenCompose(
            copy -> look(revision).thenCompose(behind -> settle(dead, copy, before, behind)));
  }

  private CompletionStage<Seen> look(long revision) {
    return rules().thenCombine(original(revision), Seen::new);
  }

  private CompletionStage<Void> settle(LedgerId dead, Outcome copy, Seen before, Seen behind) {
    // a copy that was there before may be of before the erasure
    boolean clean = !behind.isErased() || before.isErased() && !copy.replayed();
    return clean
        ? CompletableFuture.completedStage(null)
        : overwrite(dead, copy.revision(), behind.shown().body());
  }

  /** In rows and files; then the nodes forget what they have of it in memory. */
  private CompletionStage<Void> overwrite(LedgerId dead, long copy, Bytes tombstone) {
    EntryRef entry = TopicRows.message(copy);
    LedgerEraser eraser =
        new LedgerEraser(
            node.store(),
            dead,
            (at, timestamp, body) ->
                at.equals(entry) && !ContentCodec.decode(body).isErased() ? tombstone : null,
            Pace.UNBOUND);
    return Indexed.newest(node, node.topics(), dead)
        .thenCompose(newest -> eraser.run(List.of(LedgerKeys.versionsFrom(dead, entry, copy))))
        .thenCompose(done -> node.store().reclaim(List.of(LedgerKeys.all(dead))))
        .thenCompose(
            reclaimed ->
                node.calls()
                    .<Boolean>call(
                        (promise, again) ->
                            node.spaces()
                                .tell(
                                    space(),
                                    new MemSpace.ChangeRules(
                                        new KeepingChanges.EndErasure(author(), NO_ERASURE),
                                        promise))))
        .thenApply(told -> null);
  }

  /** A message and what its space does not show. */
  private record Seen(ReadRules rules, Version version) {
    Version shown() {
      return rules.show(version);
    }

    boolean isErased() {
      return Tombstones.isOne(shown());
    }
  }

  private CompletionStage<LedgerId> deadTopic() {
    return node.calls()
        .call(
            (promise, again) ->
                node.spaces()
                    .tell(
                        space(),
                        new MemSpace.FindTopic(
                            manifest.name() + DEAD, true, author(), null, promise)));
  }

  private CompletionStage<Version> original(long revision) {
    return node.reader(topic)
        .exact(TopicRows.message(revision), revision)
        .thenApply(Optional::orElseThrow);
  }

  /** What is being erased; quarantine is of entries. */
  private CompletionStage<ReadRules> rules() {
    return new LedgerReader(node.store(), space())
        .state()
        .thenApply(
            state -> {
              List<ErasureRule> erasing =
                  state.entrySet().stream()
                      .filter(each -> each.getKey().table() == KeepingChanges.ERASING)
                      .map(each -> Decoded.of(each.getValue(), ErasureRule.class))
                      .toList();
              return new ReadRules(erasing, List.of(), 0);
            });
  }

  private CompletionStage<Outcome> publish(LedgerId dead, long revision, Version version) {
    Content content = ContentCodec.decode(version.body());
    Map<String, String> metadata = new HashMap<>(content.metadata());
    metadata.put("dead-reason", "not acknowledged in %d deliveries".formatted(deliveriesMax));
    metadata.put("dead-topic", manifest.name());
    metadata.put("dead-subscription", subscription);
    metadata.put("dead-revision", Long.toString(revision));
    metadata.put(AT, Long.toString(version.timestamp()));
    RequestStamp stamp =
        RequestStamp.of("dead/%s/%s/%d".formatted(topic, subscription, revision), 0);
    return node.calls()
        .call(
            (promise, again) ->
                node.topics()
                    .tell(
                        dead,
                        new Topic.Publish(
                            null,
                            version.author(),
                            stamp,
                            true,
                            content.withMetadata(metadata),
                            version.to(),
                            promise)));
  }
}
