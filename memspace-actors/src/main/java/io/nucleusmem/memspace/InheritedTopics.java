package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * The topics that a fork finds in its base, as they were at the time of the fork. Each is forked
 * when it is first looked for: its ledger has an id that follows from the fork and the name, so
 * that whoever comes first makes it, and it is no commit of the fork.
 */
final class InheritedTopics {
  private InheritedTopics() {}

  /**
   * The fork's own ledger of a topic of its base; empty if the base had no such topic.
   *
   * @param fork the fork's ledger
   * @param space its name
   */
  static CompletionStage<Optional<LedgerId>> find(
      MemSpaceNode node,
      LedgerId fork,
      String space,
      ForkRows.ForkedFrom from,
      MemSpace.FindTopic message) {
    CompletionStage<Optional<LedgerId>> inBase =
        node.calls()
            .<LedgerId>call(
                (promise, again) ->
                    node.spaces()
                        .tell(
                            from.ledger(),
                            new MemSpace.FindTopic(
                                message.name(), false, message.author(), null, promise)))
            .handle(
                (id, failure) -> {
                  if (failure == null) {
                    return Optional.of(id);
                  }
                  MemSpaceException why = Calls.explain(failure);
                  if (why.code() != ErrorCode.TOPIC_NOT_FOUND) {
                    throw why;
                  }
                  return Optional.empty();
                });
    return inBase.thenCompose(
        topic ->
            topic.isEmpty()
                ? CompletableFuture.completedStage(Optional.empty())
                : revision(node, topic.get(), from)
                    .thenCompose(
                        revision ->
                            revision < 0
                                ? CompletableFuture.completedStage(Optional.empty())
                                : make(node, fork, space, message, topic.get(), revision)
                                    .thenApply(Optional::of)));
  }

  private static CompletionStage<Long> revision(
      MemSpaceNode node, LedgerId topic, ForkRows.ForkedFrom from) {
    return node.calls()
        .call(
            (promise, again) ->
                node.topics().tell(topic, new LedgerOwner.RevisionAt(from.timestamp(), promise)));
  }

  private static CompletionStage<LedgerId> make(
      MemSpaceNode node,
      LedgerId fork,
      String space,
      MemSpace.FindTopic message,
      LedgerId topic,
      long revision) {
    LedgerId id = ledger(fork, message.name());
    TopicRows.Manifest manifest = new TopicRows.Manifest(fork.toString(), space, message.name());
    LogRecord record =
        new LogRecord(
            message.author(),
            null,
            List.of(new Change.OfState(TopicRows.MANIFEST_KEY, StateJson.encode(manifest))));
    return node.bases()
        .of(topic)
        .thenCombine(
            node.store().now(),
            (base, now) -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              Ledger.create(
                  batch, node.store(), id, 0, now, record, Base.of(topic, revision, base));
              return node.store().commit(batch.build());
            })
        .thenCompose(commit -> commit)
        .handle(
            (done, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause != null && !(cause instanceof RefusedCommitException)) { // else it is there
                throw Calls.explain(cause);
              }
              return id;
            });
  }

  /** The topics of a fork: its own, and those that its base had when it was forked. */
  static Map<String, SpaceRows.Topic> over(
      Map<String, SpaceRows.Topic> base,
      ForkRows.ForkedFrom from,
      LedgerId fork,
      Map<String, SpaceRows.Topic> own) {
    Map<String, SpaceRows.Topic> all = new HashMap<>();
    base.forEach(
        (name, topic) -> {
          if (topic.at() == null || topic.at() <= from.timestamp()) {
            all.put(name, new SpaceRows.Topic(ledger(fork, name).toString(), topic.at()));
          }
        });
    all.putAll(own);
    return all;
  }

  private static LedgerId ledger(LedgerId fork, String topic) {
    return fork.child("topic/" + topic, 0);
  }
}
