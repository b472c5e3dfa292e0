package io.nucleusmem.receipts;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Authorship;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What agents wrote and no receipt tells yet: that is recorded behind the acknowledgement, so the
 * last of it is missing where a node died, and for a moment where it lives. The logs of the spaces
 * have it, with its author. Used for one containment.
 */
final class LateWrites {
  // a write is recorded when its answer has come: about how long that may have taken
  private static final Duration ANSWERED = Duration.ofSeconds(10);
  private static final String AGENTS = "agent/"; // before their ids, as authors

  private final ReceiptReader reader;
  private final MemSpaceSystem spaces;
  private final String inboxes;
  private final Map<Log, CompletionStage<Authorship.Found>> found = new HashMap<>();

  /** A write that no receipt tells. */
  record Write(String space, LedgerId id, SeenVersion version, long timestamp) {}

  /**
   * @param complete false if there is more than is looked through
   */
  record Late(List<Write> writes, boolean complete) {}

  private record Log(LedgerId space, ReceiptReader.Unrecorded span) {}

  /**
   * @param inboxes name of the space of inboxes, to which every agent writes
   */
  LateWrites(ReceiptReader reader, MemSpaceSystem spaces, String inboxes) {
    this.reader = reader;
    this.spaces = spaces;
    this.inboxes = inboxes;
  }

  /** Of an agent in all its lives, from a timestamp on. */
  CompletionStage<Late> of(String agent, long from) {
    return reader
        .lives(agent)
        .thenCombine(reader.followers(), LateWrites::written)
        .thenCompose(
            written -> {
              CompletionStage<Late> all =
                  CompletableFuture.completedStage(new Late(new ArrayList<>(), true));
              for (Map.Entry<Long, Map<LedgerId, String>> each : written.entrySet()) {
                all =
                    all.thenCombine(
                        onNode(agent, each.getKey(), each.getValue(), from), LateWrites::both);
              }
              return all;
            });
  }

  private static Late both(Late one, Late other) {
    one.writes().addAll(other.writes());
    return new Late(one.writes(), one.complete() && other.complete());
  }

  /**
   * By node the spaces that the agent could write there, with their names.
   *
   * @param followers by node the one in which its lives went on
   */
  private static Map<Long, Map<LedgerId, String>> written(
      Map<Life, Began> lives, Map<Long, Long> followers) {
    Map<Long, Map<LedgerId, String>> spaces = new HashMap<>();
    lives.forEach(
        (life, began) -> {
          Map<LedgerId, String> writable = new HashMap<>();
          for (Began.Mounted mount : began.mounts()) {
            if (Access.ofLabel(mount.access()).mayAppend()) {
              writable.put(MemSpaceSystem.spaceOf(mount.mount()), mount.space());
            }
          }
          for (Long node = life.node(); node != null; node = followers.get(node)) {
            spaces.computeIfAbsent(node, key -> new HashMap<>()).putAll(writable);
          }
        });
    return spaces;
  }

  private CompletionStage<Late> onNode(
      String agent, long node, Map<LedgerId, String> mounted, long from) {
    return reader
        .unrecorded(node)
        .thenCompose(
            span ->
                span.isEmpty() || span.get().until() < from
                    ? CompletableFuture.completedStage(new Late(new ArrayList<>(), true))
                    : spaces
                        .idOf(inboxes)
                        .thenCompose(
                            inbox -> {
                              Map<LedgerId, String> all = new HashMap<>(mounted);
                              all.put(inbox, inboxes);
                              return inSpaces(agent, all, span.get(), from);
                            }));
  }

  private CompletionStage<Late> inSpaces(
      String agent, Map<LedgerId, String> names, ReceiptReader.Unrecorded span, long from) {
    CompletionStage<Late> all = CompletableFuture.completedStage(new Late(new ArrayList<>(), true));
    for (Map.Entry<LedgerId, String> each : names.entrySet()) {
      LedgerId id = each.getKey();
      all =
          all.thenCombine(
              in(id, span)
                  .thenApply(
                      written -> {
                        List<Write> writes = new ArrayList<>();
                        for (Authorship.Made made : written.made()) {
                          if (made.author().equals(AGENTS + agent) && made.timestamp() >= from) {
                            writes.add(
                                new Write(each.getValue(), id, version(made), made.timestamp()));
                          }
                        }
                        return new Late(writes, written.complete());
                      }),
              LateWrites::both);
    }
    return all;
  }

  /** Of all agents: several of one node wrote to the same spaces. */
  private CompletionStage<Authorship.Found> in(LedgerId space, ReceiptReader.Unrecorded span) {
    return found.computeIfAbsent(
        new Log(space, span),
        log ->
            spaces
                .exists(space)
                .thenCompose(
                    there ->
                        there
                            ? spaces.writtenBy(
                                space,
                                author -> author.startsWith(AGENTS),
                                span.after() - Timestamps.firstOf(ANSWERED.toMillis()),
                                span.until())
                            : CompletableFuture.completedStage(
                                new Authorship.Found(List.of(), true))));
  }

  private static SeenVersion version(Authorship.Made made) {
    return made.message()
        ? SeenVersion.message(made.key(), made.revision())
        : SeenVersion.entry(made.region(), made.key(), made.revision());
  }
}
