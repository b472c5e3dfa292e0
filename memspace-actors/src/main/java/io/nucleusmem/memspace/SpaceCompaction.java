package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.Compactor;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerPast;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.ledger.VersionSurvey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/**
 * Lets a space's retention have its way: finds how far the policy lets it go, has the owner commit
 * that floor, as far as pins let it, and then removes what is below, at the node's pace. Topics
 * follow, see {@link TopicCompaction}.
 */
final class SpaceCompaction {
  private static final Duration PROGRESS = Duration.ofSeconds(1);

  private final MemSpaceNode node;
  private final TopicCompaction topics;
  private final Pace pace;

  SpaceCompaction(MemSpaceNode node, Topics topics, Pace pace) {
    this.node = node;
    this.topics = new TopicCompaction(node, topics, this);
    this.pace = pace;
  }

  /**
   * What a policy asks of a ledger.
   *
   * @param all what was superseded at or before it goes
   * @param floor as {@code all}, but a key's newest {@code keep} versions stay behind it
   */
  record Wanted(long floor, long all, long keep) {
    static final Wanted NOTHING = new Wanted(0, 0, 1);

    static Wanted of(long all, long count, OptionalLong keep, long newest) {
      long most = Math.min(newest, Math.max(all, count));
      return new Wanted(most, Math.min(all, most), keep.orElse(1));
    }

    /** What goes at the floor that was committed. */
    Compactor.Cut at(long committed, boolean messages) {
      return new Compactor.Cut(
          committed, keep > 1 ? Math.min(all, committed) : committed, keep, messages);
    }
  }

  /** A space as compaction needs it. */
  record Found(LedgerId id, SpaceRows.Manifest manifest, TreeMap<StateKey, Bytes> state, long now) {
    boolean isPinned() {
      return oldestNeeded() < Long.MAX_VALUE;
    }

    long oldestNeeded() {
      long oldest = Long.MAX_VALUE;
      for (Map.Entry<StateKey, Bytes> each : state.entrySet()) {
        if (each.getKey().table() == SpaceRows.PINS) {
          oldest = Math.min(oldest, Decoded.of(each.getValue(), ForkRows.Pin.class).revision());
        } else if (each.getKey().table() == SpaceRows.BOOKMARKS) {
          oldest =
              Math.min(oldest, Decoded.of(each.getValue(), ForkRows.Bookmark.class).revision());
        }
      }
      return oldest;
    }
  }

  /**
   * Compacts a space.
   *
   * @param asked a floor instead of the policy's, for the space without its topics
   * @param dry true to tell what would go
   * @param tell hears of the progress
   */
  CompletionStage<Map<String, Object>> run(
      LedgerId id, OptionalLong asked, boolean dry, BiConsumer<String, Object> tell) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("dry_run", dry);
    return find(id)
        .thenCompose(
            found ->
                wantedOfSpace(found, asked)
                    .thenCompose(wanted -> space(found, wanted, dry, tell, result))
                    .thenCompose(
                        done ->
                            asked.isPresent()
                                ? CompletableFuture.completedStage(null)
                                : topics
                                    .run(found, dry, tell)
                                    .thenAccept(told -> result.put("topics", told))))
        .thenApply(done -> result);
  }

  private CompletionStage<Found> find(LedgerId id) {
    return new LedgerReader(node.store(), id)
        .state()
        .thenCombine(
            node.store().now(),
            (state, now) -> {
              Bytes row = state.get(SpaceRows.MANIFEST_KEY);
              SpaceRows.Manifest manifest =
                  row == null ? null : StateJson.decode(row, SpaceRows.Manifest.class);
              if (manifest == null || manifest.state().equals(SpaceRows.Manifest.DELETED)) {
                throw SpaceCommand.gone(manifest == null ? id.toString() : manifest.name());
              }
              return new Found(id, manifest, state, now);
            });
  }

  // ---- what the policy asks ----

  private CompletionStage<Wanted> wantedOfSpace(Found found, OptionalLong asked) {
    if (asked.isPresent()) {
      long floor = asked.getAsLong();
      return CompletableFuture.completedStage(new Wanted(floor, floor, 1));
    }
    return wanted(found.id(), found.manifest().retention(), found.now(), false);
  }

  CompletionStage<Wanted> wanted(LedgerId id, Retention policy, long now, boolean messages) {
    if (policy.keepsAll()) {
      return CompletableFuture.completedStage(Wanted.NOTHING);
    }
    ForkReader reader = node.reader(id);
    return Indexed.newest(node, messages ? node.topics() : node.spaces(), id)
        .thenCompose(
            newest ->
                byAge(reader, policy, now, messages)
                    .thenCompose(age -> bySize(id, policy, newest, age, messages)));
  }

  private static CompletionStage<Long> byAge(
      ForkReader reader, Retention policy, long now, boolean messages) {
    if (policy.maxAge().isEmpty()) {
      return CompletableFuture.completedStage(0L);
    }
    long millis = Timestamps.millis(now) - policy.maxAge().get().toMillis();
    return reader
        .revisionAt(Timestamps.lastOf(Math.max(0, millis)))
        .thenApply(revision -> Math.max(0, messages ? revision + 1 : revision));
  }

  private CompletionStage<Wanted> bySize(
      LedgerId id, Retention policy, long newest, long age, boolean messages) {
    boolean survey = policy.maxBytes().isPresent() || policy.maxVersions().isPresent();
    if (!survey) {
      return CompletableFuture.completedStage(Wanted.of(age, 0, OptionalLong.empty(), newest));
    }
    VersionSurvey found =
        new VersionSurvey(node.store(), id, newest, policy.maxVersions().orElse(0), messages, pace);
    return found
        .run()
        .thenApply(
            done -> {
              long bytes =
                  policy.maxBytes().isPresent()
                      ? found.bytesFloor(policy.maxBytes().getAsLong())
                      : 0;
              return Wanted.of(
                  Math.max(age, bytes), found.countFloor(), policy.maxVersions(), newest);
            });
  }

  // ---- entries ----

  private CompletionStage<Void> space(
      Found found,
      Wanted wanted,
      boolean dry,
      BiConsumer<String, Object> tell,
      Map<String, Object> result) {
    long most = found.oldestNeeded();
    return raise(node.spaces(), found.id(), Math.min(wanted.floor(), most), Long.MAX_VALUE, dry)
        .thenCompose(
            floor -> {
              Compactor compactor =
                  compactor(found.id(), wanted.at(floor, false), found.now(), dry);
              return remove(compactor, floor, tell, "")
                  .thenCompose(done -> copies(found, found.id(), wanted.at(floor, false), dry))
                  .thenAccept(
                      copied -> {
                        result.put("floor", floor);
                        result.put("versions", compactor.versions() + copied.versions());
                        result.put("bytes", compactor.bytes() + copied.bytes());
                        result.put("log_rows", compactor.logRows() + copied.logRows());
                        if (wanted.floor() > most) {
                          result.put("held_at", most);
                        }
                      });
            });
  }

  /**
   * Has an owner commit a floor.
   *
   * @param notAfter timestamp behind which it does not
   * @return the floor as it is then, or with {@code dry} would be
   */
  CompletionStage<Long> raise(Owners owners, LedgerId id, long floor, long notAfter, boolean dry) {
    return new LedgerReader(node.store(), id)
        .floor()
        .thenCompose(
            now ->
                dry || floor <= now
                    ? CompletableFuture.completedStage(Math.max(floor, now))
                    : node.calls()
                        .call(
                            (promise, again) ->
                                owners.tell(
                                    id, new LedgerOwner.Compact(floor, notAfter, promise))));
  }

  Compactor compactor(LedgerId id, Compactor.Cut cut, long now, boolean dry) {
    long window =
        Timestamps.firstOf(
            Timestamps.millis(now) - node.settings().ledger().requestWindow().toMillis());
    return new Compactor(node.store(), id, cut, window, pace, dry);
  }

  /** What went, or would. */
  record Removed(long versions, long bytes, long logRows) {
    static final Removed NOTHING = new Removed(0, 0, 0);

    Removed plus(Compactor more) {
      return new Removed(
          versions + more.versions(), bytes + more.bytes(), logRows + more.logRows());
    }
  }

  /**
   * Removes what a ledger's floor has let go of the copies that it stands on. They have no owner;
   * their floor is for what stands on the ledger, and reads them through it.
   */
  CompletionStage<Removed> copies(Found found, LedgerId id, Compactor.Cut cut, boolean dry) {
    if (cut.floor() == 0) {
      return CompletableFuture.completedStage(Removed.NOTHING);
    }
    return Base.find(node.store(), id)
        .thenCompose(
            base -> {
              CompletionStage<Removed> all = CompletableFuture.completedStage(Removed.NOTHING);
              if (base.isOwn()) {
                for (Base.Layer layer : base.layers()) {
                  Compactor compactor =
                      compactor(layer.id(), upTo(cut, layer.revision()), found.now(), dry);
                  long floor = Math.min(cut.floor(), layer.revision());
                  all =
                      all.thenCompose(
                          sum ->
                              (dry
                                      ? CompletableFuture.<Void>completedStage(null)
                                      : LedgerPast.raiseFloor(node.store(), layer.id(), floor))
                                  .thenCompose(done -> compactor.run())
                                  .thenApply(removed -> sum.plus(compactor)));
                }
              }
              return all;
            });
  }

  /** A cut of a ledger that ends at a revision: what is newest in it, nothing of it supersedes. */
  private static Compactor.Cut upTo(Compactor.Cut cut, long revision) {
    return cut.messages()
        ? cut
        : new Compactor.Cut(
            Math.min(cut.floor(), revision), Math.min(cut.all(), revision), cut.keep(), false);
  }

  CompletionStage<Void> remove(
      Compactor compactor, long floor, BiConsumer<String, Object> tell, String prefix) {
    if (floor == 0) {
      return CompletableFuture.completedStage(null); // nothing was ever let go
    }
    CompletableFuture<Long> running = compactor.run().toCompletableFuture();
    tellWhile(running, compactor, tell, prefix);
    return running.thenApply(done -> null);
  }

  private static void tellWhile(
      CompletableFuture<Long> running,
      Compactor compactor,
      BiConsumer<String, Object> tell,
      String prefix) {
    tell.accept(prefix + "rows_looked_at", compactor.looked());
    tell.accept(prefix + "rows", compactor.versions() + compactor.logRows());
    if (!running.isDone()) {
      CompletableFuture.delayedExecutor(
              PROGRESS.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
          .execute(() -> tellWhile(running, compactor, tell, prefix));
    }
  }
}
