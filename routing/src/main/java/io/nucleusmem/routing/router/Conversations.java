package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.memspace.WriteOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Where conversations are: an entry each, as long as they last. */
final class Conversations {
  private static final String PREFIX = "conversation/";
  private static final int SWEEP_PAGE = 200;

  private final OwnSpace space;
  private final Duration ttl;
  private final InstantSource clock;

  /**
   * Where a conversation is.
   *
   * @param route null if an agent handed it over
   * @param agent null if the route leads to a topic
   * @param handedBy the agent that handed it over; null if the router brought it here
   * @param at last message, milliseconds since 1970
   */
  record Place(String route, String agent, String handedBy, long at) {}

  Conversations(OwnSpace space, Duration ttl, InstantSource clock) {
    this.space = space;
    this.ttl = ttl;
    this.clock = clock;
  }

  private static EntryKey key(String conversation) {
    return EntryKey.of(PREFIX + conversation);
  }

  CompletionStage<Optional<Place>> find(Optional<String> conversation) {
    if (conversation.isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    return space
        .call(mounted -> mounted.get(key(conversation.get())))
        .thenApply(found -> found.map(Conversations::read).filter(place -> !isOver(place)));
  }

  private static Place read(Entry entry) {
    return StateJson.decode(entry.content().value(), Place.class);
  }

  private boolean isOver(Place place) {
    return Instant.ofEpochMilli(place.at()).plus(ttl).isBefore(clock.instant());
  }

  /** What notes where a conversation is now. */
  Operation place(String conversation, String route, String agent, String handedBy) {
    Place place = new Place(route, agent, handedBy, clock.millis());
    return new Operation.Put(key(conversation), Content.json(StateJson.encode(place).utf8()));
  }

  /** Removes those that are over; harmless on several nodes at a time. */
  CompletionStage<Integer> sweep() {
    return sweep(ScanRequest.of(Region.MEMORY, PREFIX).limit(SWEEP_PAGE), 0);
  }

  private CompletionStage<Integer> sweep(ScanRequest request, int removedBefore) {
    return space
        .call(mounted -> mounted.scan(request))
        .thenCompose(
            page -> {
              List<Operation> over =
                  page.items().stream()
                      .filter(entry -> isOver(read(entry)))
                      .<Operation>map(
                          entry ->
                              new Operation.Delete(
                                  entry.key(), OptionalLong.of(entry.revision()), Operation.ANY))
                      .toList();
              // one that moved meanwhile spoils the page: the next sweep finds the others
              CompletionStage<Integer> removed =
                  over.isEmpty()
                      ? CompletableFuture.completedStage(0)
                      : space
                          .call(mounted -> mounted.write(over, WriteOptions.DEFAULT))
                          .handle((written, failure) -> failure == null ? over.size() : 0);
              return removed.thenCompose(
                  count ->
                      page.next().isPresent()
                          ? sweep(request.after(page.next().get()), removedBefore + count)
                          : CompletableFuture.completedStage(removedBefore + count));
            });
  }
}
