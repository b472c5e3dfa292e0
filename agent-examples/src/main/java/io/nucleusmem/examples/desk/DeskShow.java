package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Conversation.Line;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.TopicInfo;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.store.Direction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Reads the whole conversation back from the store: every version of every entry, from the first
 * revision on, and every message, put in the order in which they were committed.
 */
final class DeskShow {

  private static final int MESSAGES_PER_PAGE = 1_000;

  private DeskShow() {}

  /** The lines, oldest first. */
  static List<Line> conversation(MemSpaces spaces) {
    MountedSpace space = Calls.await(spaces.openOnly(Principal.LOCAL, Desk.SPACE));
    var lines = new ArrayList<>(changes(space));
    for (TopicInfo topic : Calls.await(space.topics(100, Optional.empty())).items()) {
      messages(space, topic.name())
          .forEach(message -> Conversation.of(message).ifPresent(lines::add));
    }
    lines.sort(Comparator.comparingLong(Line::timestamp));
    return lines;
  }

  private static List<Line> changes(MountedSpace space) {
    long newest =
        Calls.await(space.scan(ScanRequest.of(Region.SUMMARY, Desk.DIGEST.name()).limit(1)))
            .revision();
    var lines = new ArrayList<Line>();
    var whole = new CompletableFuture<List<Line>>();
    var everything = new WatchRequest(Optional.empty(), "", OptionalLong.of(1), true);
    Watch watch =
        Calls.await(space.watch(everything, event -> read(space, event, newest, lines, whole)));
    try {
      return whole.join();
    } finally {
      watch.close();
    }
  }

  private static CompletionStage<?> read(
      MountedSpace space,
      WatchEvent event,
      long newest,
      List<Line> lines,
      CompletableFuture<List<Line>> whole) {
    CompletionStage<?> done = CompletableFuture.completedFuture(null);
    long upTo = 0;
    if (event instanceof WatchEvent.Signals signals) {
      upTo = signals.upTo();
      for (Signal signal : signals.signals()) {
        done =
            done.thenCompose(before -> DeskRun.content(space, signal))
                .thenAccept(content -> Conversation.of(signal, content).ifPresent(lines::add));
      }
    } else if (event instanceof WatchEvent.Progress progress) {
      upTo = progress.upTo();
    } else if (event instanceof WatchEvent.Compacted compacted) {
      whole.completeExceptionally(
          new DeskFailure("the beginning is compacted, up to " + compacted.oldest()));
    } else if (event instanceof WatchEvent.Ended ended) {
      whole.completeExceptionally(ended.reason());
    }
    boolean last = upTo >= newest;
    return done.whenComplete(
        (ok, failure) -> {
          if (failure != null) {
            whole.completeExceptionally(failure);
          } else if (last) {
            whole.complete(List.copyOf(lines));
          }
        });
  }

  private static List<Message> messages(MountedSpace space, String topic) {
    var messages = new ArrayList<Message>();
    Optional<String> cursor = Optional.empty();
    do {
      Paged<Message> page =
          Calls.await(
              space
                  .topic(topic)
                  .fetch(
                      new MessageRange(
                          Optional.empty(),
                          Optional.empty(),
                          Direction.ASCENDING,
                          true,
                          MESSAGES_PER_PAGE,
                          cursor)));
      messages.addAll(page.items());
      cursor = page.next();
    } while (cursor.isPresent());
    return messages;
  }
}
