package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** Who wrote what into a space and its topics in a span of time, as their own logs tell. */
public final class Authorship {
  private static final int COMMITS_MAX = 100_000; // of the space that are looked through
  private static final int TOPICS_MAX = 10_000;
  private static final int PAGE = 100;

  /**
   * A version, or a message of a topic.
   *
   * @param key of the entry, or the topic's name
   * @param revision of the space, or of the topic
   * @param timestamp of its commit
   */
  public record Made(
      String author, boolean message, Region region, String key, long revision, long timestamp) {}

  private final LedgerReader log;
  private final MountedSpace space;
  private final Predicate<String> authors;
  private final long from;
  private final long until;
  private final List<Made> made = new ArrayList<>();
  private boolean complete = true;

  /**
   * What was found.
   *
   * @param complete false if there is more to look through than the limits allow
   */
  public record Found(List<Made> made, boolean complete) {}

  /**
   * @param space all of it
   * @param authors who is asked for
   * @param from timestamp of the first commit
   * @param until timestamp of the last
   */
  Authorship(
      LedgerReader log, MountedSpace space, Predicate<String> authors, long from, long until) {
    this.log = log;
    this.space = space;
    this.authors = authors;
    this.from = from;
    this.until = until;
  }

  CompletionStage<Found> find() {
    return log.revisionAt(from - 1)
        .thenCompose(before -> entries(before + 1, 0))
        .thenCompose(done -> topics(Optional.empty(), 0))
        .thenApply(done -> new Found(List.copyOf(made), complete));
  }

  private CompletionStage<Void> entries(long next, int looked) {
    return log.log(next, LedgerReader.LOG_ROWS_MAX)
        .thenCompose(
            page -> {
              long behind = next;
              boolean over = false;
              for (LogRow row : page.rows()) {
                over |= row.timestamp() > until;
                behind = row.last() + 1;
                if (row.timestamp() >= from && row.timestamp() <= until) {
                  take(row);
                }
              }
              int commits = looked + page.rows().size();
              if (!page.more() || over) {
                return CompletableFuture.completedStage(null);
              }
              if (commits >= COMMITS_MAX) {
                complete = false;
                return CompletableFuture.completedStage(null);
              }
              return entries(behind, commits);
            });
  }

  private void take(LogRow row) {
    for (long revision = row.first(); revision <= row.last(); revision++) {
      String author = row.record(revision).author();
      if (!authors.test(author)) {
        continue;
      }
      for (Change change : row.record(revision).changes()) {
        if (change instanceof Change.OfEntry entry) {
          EntryKey key = SpaceRows.key(entry.entry());
          made.add(new Made(author, false, key.region(), key.name(), revision, row.timestamp()));
        }
      }
    }
  }

  private CompletionStage<Void> topics(Optional<String> cursor, int looked) {
    return space
        .topics(PAGE, cursor)
        .thenCompose(
            page -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (TopicInfo topic : page.items()) {
                all = all.thenCompose(done -> messages(topic.name(), Optional.empty(), 0));
              }
              int topics = looked + page.items().size();
              return all.thenCompose(
                  done -> {
                    if (page.next().isEmpty()) {
                      return CompletableFuture.completedStage(null);
                    }
                    if (topics >= TOPICS_MAX) {
                      complete = false;
                      return CompletableFuture.completedStage(null);
                    }
                    return topics(page.next(), topics);
                  });
            });
  }

  private CompletionStage<Void> messages(String topic, Optional<String> cursor, int looked) {
    MessageRange range =
        new MessageRange(
            Optional.of(new MessageRange.Bound.Time(Timestamps.instant(from))),
            Optional.empty(),
            Direction.ASCENDING,
            false,
            Limits.PAGE_MAX,
            cursor);
    return space
        .topic(topic)
        .fetch(range)
        .thenCompose(
            page -> {
              for (Message message : page.items()) {
                if (message.timestamp() >= from
                    && message.timestamp() <= until
                    && authors.test(message.sender())) {
                  made.add(
                      new Made(
                          message.sender(),
                          true,
                          Region.COMM,
                          topic,
                          message.revision(),
                          message.timestamp()));
                }
              }
              int messages = looked + page.items().size();
              if (page.next().isEmpty()) {
                return CompletableFuture.completedStage(null);
              }
              if (messages >= COMMITS_MAX) {
                complete = false;
                return CompletableFuture.completedStage(null);
              }
              return messages(topic, page.next(), messages);
            });
  }
}
