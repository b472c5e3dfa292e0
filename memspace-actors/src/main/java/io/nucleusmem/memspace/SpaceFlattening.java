package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerPast;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.WriteBatch;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/**
 * Gives a fork copies of its own of all that it inherits, topics too, so that it stands on nothing
 * else: its chain is as short as can be, and its base may go. Until the one commit that says so, it
 * reads what it read before; from then on it reads the same from the copies.
 *
 * <p>What may be cut short goes on where it was when it is begun again. The permit to copy is a row
 * of the fork that an erasure takes away, see {@link LedgerPast}; the spaces that something is
 * copied from note the fork first, so that erasures in them reach it.
 */
final class SpaceFlattening {
  private static final String AUTHOR = "forks";
  private static final int TOKEN_BYTES = 16;
  private static final int TOPICS_MAX = 10_000; // their rows are one commit

  private final MemSpaceClient client;
  private final MemSpaceNode node;
  private final Pins pins;
  private final Catalogue catalogue;
  private final Pace pace;
  private final SecureRandom random = new SecureRandom();

  SpaceFlattening(MemSpaceClient client, Catalogue catalogue, Pace pace) {
    this.client = client;
    this.node = client.node();
    this.pins = client.pins();
    this.catalogue = catalogue;
    this.pace = pace;
  }

  /**
   * Flattens a space; one that is no fork, or stands on copies already, stays as it is.
   *
   * @param tell hears of the progress
   */
  CompletionStage<Map<String, Object>> run(LedgerId id, BiConsumer<String, Object> tell) {
    return pins.originOf(id)
        .thenCompose(
            origin ->
                origin.isEmpty() || origin.get().isOwn()
                    ? unchanged(id, origin.isPresent())
                    : Base.find(node.store(), id)
                        .thenCompose(base -> new Run(id, base, tell).run()))
        .exceptionally(
            failure -> {
              Throwable cause = failure;
              while (cause.getCause() != null && !(cause instanceof LedgerPast.Stopped)) {
                cause = cause.getCause();
              }
              throw cause instanceof LedgerPast.Stopped
                  ? ForkChanges.copyingStopped()
                  : Calls.explain(failure);
            });
  }

  private CompletionStage<Map<String, Object>> unchanged(LedgerId id, boolean fork) {
    return (fork ? pins.standAlone(id) : CompletableFuture.<Void>completedStage(null))
        .thenCompose(done -> Base.find(node.store(), id))
        .thenApply(base -> result(base, base, 0, 0));
  }

  private static Map<String, Object> result(Base before, Base after, long rows, int topics) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("layers_before", before.layers().size());
    result.put("layers", after.layers().size());
    result.put("rows", rows);
    result.put("topics", topics);
    return result;
  }

  /** One run. */
  private final class Run {
    private final LedgerId id;
    private final Base before;
    private final BiConsumer<String, Object> tell;
    private final Bytes token;
    private final Bytes permit;
    private long rowsBefore;
    private volatile long rows;

    Run(LedgerId id, Base before, BiConsumer<String, Object> tell) {
      byte[] bytes = new byte[TOKEN_BYTES];
      random.nextBytes(bytes);
      this.id = id;
      this.before = before;
      this.tell = tell;
      this.token = Bytes.wrap(bytes);
      this.permit = LedgerKeys.state(id, ForkRows.copyingKey(token));
    }

    CompletionStage<Map<String, Object>> run() {
      return apply(id, new ForkChanges.BeginCopying(AUTHOR, token))
          .thenCompose(begun -> Indexed.newest(node, node.spaces(), id)) // the permit is a row now
          .thenCompose(done -> client.describe(id))
          .thenCompose(there -> note(there.info().name()))
          .thenCompose(done -> client.topics().listed(id))
          .thenCompose(this::topics)
          .thenCompose(
              topics ->
                  copy(id, node.spaces())
                      .thenCompose(
                          after ->
                              apply(
                                      id,
                                      new ForkChanges.EndCopying(
                                          AUTHOR, token, after.encode(), topics))
                                  .thenCompose(ended -> pins.standAlone(id))
                                  .thenApply(
                                      done -> {
                                        node.bases().forget();
                                        return result(before, after, rows, topics.size());
                                      })));
    }

    /** All spaces that something comes from get to know the fork: also those behind its base. */
    private CompletionStage<Void> note(String name) {
      CompletionStage<Void> all = CompletableFuture.completedStage(null);
      for (Base.Layer layer : before.origins()) {
        all =
            all.thenCompose(done -> catalogue.isGone(layer.id()))
                .thenCompose(
                    gone ->
                        gone
                            ? CompletableFuture.completedStage(null)
                            : SpaceErasure.unlessGone(
                                apply(layer.id(), new ForkChanges.AddCopy(AUTHOR, id, name))));
      }
      return all;
    }

    /** Copies the topics that the fork inherits, those too that nobody has looked for yet. */
    private CompletionStage<Map<String, SpaceRows.Topic>> topics(
        Map<String, SpaceRows.Topic> listed) {
      if (listed.size() > TOPICS_MAX) {
        throw MemSpaceException.tooLarge("flattening", listed.size(), TOPICS_MAX, "topics");
      }
      Map<String, SpaceRows.Topic> inherited = new LinkedHashMap<>();
      CompletionStage<Void> all = CompletableFuture.completedStage(null);
      for (Map.Entry<String, SpaceRows.Topic> each : listed.entrySet()) {
        all =
            all.thenCompose(done -> client.topics().find(id, each.getKey()))
                .thenCompose(
                    topic ->
                        topic.isEmpty()
                            ? CompletableFuture.completedStage(null)
                            : topic(each.getKey(), topic.get(), each.getValue(), inherited));
      }
      return all.thenApply(done -> inherited);
    }

    private CompletionStage<Void> topic(
        String name,
        LedgerId topic,
        SpaceRows.Topic listed,
        Map<String, SpaceRows.Topic> inherited) {
      return Base.find(node.store(), topic)
          .thenCompose(
              base -> {
                if (base.isNone()) {
                  return CompletableFuture.completedStage(null); // the fork's own
                }
                inherited.put(name, new SpaceRows.Topic(topic.toString(), listed.at()));
                return base.isOwn()
                    ? CompletableFuture.completedStage(null)
                    : copy(topic, node.topics()).thenCompose(after -> stand(topic, after));
              });
    }

    /**
     * A topic stands on its copies: the row is written beside its log, as a revision of a topic is
     * a message's. It says the same as the one that it replaces, so it does not matter who sees
     * which.
     */
    private CompletionStage<Void> stand(LedgerId topic, Base after) {
      return node.store()
          .now()
          .thenCompose(
              now ->
                  Resent.commit(
                      node.store(),
                      WriteBatch.at(now)
                          .require(permit)
                          .put(Base.key(topic), after.encode())
                          .build()));
    }

    private CompletionStage<Base> copy(LedgerId ledger, Owners owners) {
      rowsBefore = rows;
      return Base.find(node.store(), ledger)
          .thenCompose(base -> Indexed.below(node, owners, base))
          .thenCompose(
              done ->
                  new LedgerPast(
                          node.store(),
                          ledger,
                          permit,
                          pace,
                          written -> {
                            rows = rowsBefore + written;
                            tell.accept("rows", rows);
                          })
                      .run());
    }

    private CompletionStage<Outcome> apply(LedgerId space, SpaceCommand command) {
      return client.apply(space, again -> command);
    }
  }
}
