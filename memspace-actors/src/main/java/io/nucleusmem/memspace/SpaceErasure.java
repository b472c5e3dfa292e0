package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerEraser;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerPast;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KeyRange;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/**
 * Erases: first the space and its forks, and theirs, do not show any more what is to go, on any
 * node; then it is written over where it lies, in versions and log rows; then the files are written
 * anew. What stays are the order, who wrote when, and a tombstone.
 */
final class SpaceErasure {
  private static final int KEY_BYTES = 32;

  private final MemSpaceNode node;
  private final Topics topics;
  private final SpaceLocks locks;
  private final Pace pace;
  private final SecureRandom random = new SecureRandom();

  SpaceErasure(MemSpaceNode node, Topics topics, SpaceLocks locks, Pace pace) {
    this.node = node;
    this.topics = topics;
    this.locks = locks;
    this.pace = pace;
  }

  /**
   * Hides what is to be erased; when this has completed, no read of it begins.
   *
   * @return the space and all its forks
   */
  CompletionStage<List<LedgerId>> hide(LedgerId space, Principal caller, ErasureRule rule) {
    Set<LedgerId> all = new LinkedHashSet<>();
    all.add(space);
    return hide(space, caller, rule, all).thenApply(done -> List.copyOf(all));
  }

  private CompletionStage<Void> hide(
      LedgerId space, Principal caller, ErasureRule rule, Set<LedgerId> all) {
    byte[] key = new byte[KEY_BYTES];
    random.nextBytes(key);
    return change(space, new KeepingChanges.Erase(caller, rule, Bytes.wrap(key)))
        // behind the rule: a fork that is made later is made of a space that knows it
        .thenCompose(hidden -> new LedgerReader(node.store(), space).state())
        .thenCompose(
            state -> {
              CompletionStage<Void> forks = CompletableFuture.completedStage(null);
              Principal system = new Principal(caller.name(), true); // forks may be others'
              List<LedgerId> showing = new ArrayList<>(ForkRows.copies(state));
              ForkRows.pins(state).forEach(pin -> showing.add(pin.fork()));
              for (LedgerId fork : showing) {
                if (all.add(fork)) { // every one: what is left out would show it for ever
                  forks =
                      forks
                          .thenCompose(done -> isThere(fork))
                          .thenCompose(
                              there -> {
                                if (there) {
                                  return unlessGone(hide(fork, system, rule, all));
                                }
                                all.remove(fork);
                                return CompletableFuture.completedStage(null);
                              });
                }
              }
              return forks;
            });
  }

  /** A pin may be left of a fork that was never made, or is gone. */
  private CompletionStage<Boolean> isThere(LedgerId id) {
    return new Catalogue(node.store())
        .isGone(id)
        .thenCompose(gone -> gone ? CompletableFuture.completedStage(false) : exists(id));
  }

  private CompletionStage<Boolean> exists(LedgerId id) {
    return new LedgerReader(node.store(), id)
        .state(SpaceRows.MANIFEST_KEY)
        .thenApply(java.util.Optional::isPresent);
  }

  static CompletionStage<Void> unlessGone(CompletionStage<?> change) {
    return change.handle(
        (done, failure) -> {
          MemSpaceException why = failure == null ? null : Calls.explain(failure);
          if (why != null && why.code() != ErrorCode.SPACE_NOT_FOUND) {
            throw why;
          }
          return null;
        });
  }

  CompletionStage<Boolean> change(LedgerId space, SpaceCommand command) {
    return node.calls()
        .call(
            (promise, again) ->
                node.spaces().tell(space, new MemSpace.ChangeRules(command, promise)));
  }

  // ---- removing ----

  /** Removes what is hidden, from rows and files. */
  CompletionStage<Map<String, Object>> remove(
      List<LedgerId> spaces, BiConsumer<String, Object> tell) {
    long[] counts = new long[2];
    List<KeyRange> files = new ArrayList<>();
    Map<LedgerId, List<String>> rules = new LinkedHashMap<>();
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (LedgerId space : spaces) {
      all =
          all.thenCompose(
              done -> locks.alone(space, () -> rows(space, rules, counts, files, tell)));
    }
    return all.thenCompose(
            done -> {
              tell.accept("step", "files");
              return node.store().reclaim(List.copyOf(new LinkedHashSet<>(files)));
            })
        .thenCompose(
            reclaimed -> end(rules).thenApply(any -> result(counts, spaces.size() - 1, reclaimed)));
  }

  private CompletionStage<Void> end(Map<LedgerId, List<String>> rules) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (Map.Entry<LedgerId, List<String>> each : rules.entrySet()) {
      LedgerId space = each.getKey();
      for (String id : each.getValue()) {
        all =
            all.thenCompose(done -> isThere(space)) // it may have been deleted meanwhile
                .thenCompose(
                    there ->
                        there
                            ? unlessGone(
                                change(space, new KeepingChanges.EndErasure("erasure", id)))
                            : CompletableFuture.completedStage(null));
      }
    }
    return all;
  }

  private static Map<String, Object> result(long[] counts, int forks, boolean reclaimed) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("versions", counts[0]);
    result.put("log_rows", counts[1]);
    result.put("forks", forks);
    result.put(
        "files",
        reclaimed
            ? "the files of the store hold nothing of it any more"
            : "left to the store's own garbage collection");
    return result;
  }

  /**
   * Writes over what a space's rules cover: also of erasures whose operation failed, which end with
   * this one.
   */
  private CompletionStage<Void> rows(
      LedgerId space,
      Map<LedgerId, List<String>> rules,
      long[] counts,
      List<KeyRange> files,
      BiConsumer<String, Object> tell) {
    return Indexed.newest(node, node.spaces(), space)
        .thenCompose(newest -> new LedgerReader(node.store(), space).state())
        .thenCompose(
            state -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Map.Entry<StateKey, Bytes> each : state.entrySet()) {
                if (each.getKey().table() == KeepingChanges.ERASING) {
                  ErasureRule rule = Decoded.of(each.getValue(), ErasureRule.class);
                  Bytes key = KeepingChanges.key(state).orElseThrow();
                  rules.computeIfAbsent(space, same -> new ArrayList<>()).add(rule.id());
                  all =
                      all.thenCompose(done -> erase(space, rule, key, counts, files, tell))
                          .thenCompose(
                              done ->
                                  rule.subject() == null
                                      ? CompletableFuture.completedStage(null)
                                      : topics(space, rule, key, counts, files, tell));
                }
              }
              return all;
            });
  }

  private CompletionStage<Void> topics(
      LedgerId space,
      ErasureRule rule,
      Bytes key,
      long[] counts,
      List<KeyRange> files,
      BiConsumer<String, Object> tell) {
    return topics
        .names(space)
        .thenCompose(
            names -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (LedgerId topic : names.values()) {
                all =
                    all.thenCompose(done -> exists(topic))
                        .thenCompose( // what a fork inherits is made when it is looked for
                            there ->
                                there
                                    ? topic(topic, rule, key, counts, files, tell)
                                    : CompletableFuture.completedStage(null));
              }
              return all;
            });
  }

  private CompletionStage<Void> topic(
      LedgerId topic,
      ErasureRule rule,
      Bytes key,
      long[] counts,
      List<KeyRange> files,
      BiConsumer<String, Object> tell) {
    return closed(topic, rule.before())
        .thenCompose(done -> Indexed.newest(node, node.topics(), topic))
        .thenCompose(newest -> erase(topic, rule, key, counts, files, tell));
  }

  /** Nothing of a topic at or before a time can follow. */
  private CompletionStage<Long> closed(LedgerId topic, long timestamp) {
    return node.calls()
        .call(
            (promise, again) ->
                node.topics().tell(topic, new LedgerOwner.RevisionAt(timestamp, promise)));
  }

  /** Erases in a ledger, and in the copies that it has, or has begun, of what it stands on. */
  private CompletionStage<Void> erase(
      LedgerId id,
      ErasureRule rule,
      Bytes key,
      long[] counts,
      List<KeyRange> files,
      BiConsumer<String, Object> tell) {
    return LedgerPast.of(node.store(), id)
        .thenCompose(
            copies -> {
              CompletionStage<Void> all = eraseRows(id, rule, key, counts, files, tell);
              for (LedgerId copy : copies) {
                all = all.thenCompose(done -> eraseRows(copy, rule, key, counts, files, tell));
              }
              return all;
            });
  }

  private CompletionStage<Void> eraseRows(
      LedgerId id,
      ErasureRule rule,
      Bytes key,
      long[] counts,
      List<KeyRange> files,
      BiConsumer<String, Object> tell) {
    LedgerEraser eraser =
        new LedgerEraser(
            node.store(),
            id,
            (entry, timestamp, body) -> {
              Content content = ContentCodec.decode(body);
              return content.isErased() || !rule.covers(entry, timestamp, content::metadata)
                  ? null
                  : Tombstones.erasedBody(rule, Tombstones.keyedHash(key, body));
            },
            pace);
    files.add(LedgerKeys.all(id));
    return eraser
        .run(rule.ranges(id))
        .thenAccept(
            done -> {
              counts[0] += eraser.versions();
              counts[1] += eraser.logRows();
              tell.accept("versions", counts[0]);
              tell.accept("log_rows", counts[1]);
            });
  }
}
