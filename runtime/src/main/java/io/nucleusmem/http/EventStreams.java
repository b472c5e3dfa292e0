package io.nucleusmem.http;

import akka.NotUsed;
import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.japi.Pair;
import akka.stream.KillSwitches;
import akka.stream.Materializer;
import akka.stream.OverflowStrategy;
import akka.stream.SharedKillSwitch;
import akka.stream.javadsl.Sink;
import akka.stream.javadsl.Source;
import akka.stream.javadsl.SourceQueueWithComplete;
import akka.util.ByteString;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.nucleusmem.memspace.CompactedException;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Watches as {@code text/event-stream}. A stream takes one event of its watch at a time, so that a
 * slow client falls behind at the hub and holds no memory here.
 *
 * <p>Whole batches are one element: where a stream ends, it ends between two of them.
 */
final class EventStreams {
  private static final ContentType EVENT_STREAM = ContentTypes.parse("text/event-stream");
  private static final int EVENTS_AHEAD_MAX = 1; // events that wait for the client

  private final Materializer materializer;
  private final int streamsMax;
  private final Duration progressInterval;
  private final AtomicInteger open = new AtomicInteger();
  private final SharedKillSwitch stopping = KillSwitches.shared("nucleusmem-event-streams");

  EventStreams(Materializer materializer, int streamsMax, Duration progressInterval) {
    this.materializer = materializer;
    this.streamsMax = streamsMax;
    this.progressInterval = progressInterval;
  }

  /** What a signal says. The key of a topic's message is absent, its revision names it. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record SignalJson(
      String region,
      String key,
      long revision,
      String kind,
      Instant at,
      String author,
      String to,
      String contentType,
      @JsonUnwrapped ValueJson value) {
    static SignalJson of(Signal signal) {
      return new SignalJson(
          signal.key().region().label(),
          signal.key().name(),
          signal.revision(),
          signal.deleted() ? "delete" : "put",
          signal.at(),
          signal.author(),
          signal.to().orElse(null),
          signal.content().map(content -> content.contentType()).orElse(null),
          signal.content().map(ValueJson::of).orElse(null));
    }
  }

  record ProgressJson(long revision) {}

  record CompactedJson(long oldestRevision) {}

  /**
   * Starts a watch and answers with its stream, once it is active.
   *
   * @param watch starts it with the handler that it gets
   */
  CompletionStage<HttpResponse> stream(Function<WatchHandler, CompletionStage<Watch>> watch) {
    if (open.incrementAndGet() > streamsMax) {
      open.decrementAndGet();
      throw new MemSpaceException(
          ErrorCode.BUSY,
          "[%d] event streams are open, which is nucleusmem.http.streams-max; close one"
              .formatted(streamsMax),
          Map.of("accepted", streamsMax));
    }
    Pair<SourceQueueWithComplete<ByteString>, Source<ByteString, NotUsed>> queue =
        Source.<ByteString>queue(EVENTS_AHEAD_MAX, OverflowStrategy.backpressure())
            .preMaterialize(materializer);
    Handler handler = new Handler(queue.first(), progressInterval);
    return watch
        .apply(handler)
        .handle(
            (started, failure) -> {
              if (failure == null) {
                return respond(queue, started);
              }
              if (Problem.unwrap(failure) instanceof CompactedException compacted) {
                handler.on(new WatchEvent.Compacted(compacted.oldest()));
                return respond(queue, null);
              }
              queue.first().complete();
              queue.second().runWith(Sink.ignore(), materializer);
              open.decrementAndGet();
              return Problem.of(failure);
            });
  }

  /** Ends all streams: the node stops. Clients go on elsewhere with their last event's id. */
  void stop() {
    stopping.shutdown();
  }

  private HttpResponse respond(
      Pair<SourceQueueWithComplete<ByteString>, Source<ByteString, NotUsed>> queue, Watch watch) {
    queue
        .first()
        .watchCompletion()
        .whenComplete(
            (done, failure) -> {
              open.decrementAndGet();
              if (watch != null) {
                watch.close();
              }
            });
    Source<ByteString, NotUsed> events =
        watch == null
            ? queue.second()
            : queue.second().keepAlive(progressInterval, () -> progress(watch.cursor()));
    return HttpResponse.create()
        .addHeader(Headers.of("Cache-Control", "no-store"))
        .withEntity(HttpEntities.create(EVENT_STREAM, events.via(stopping.flow())));
  }

  private static ByteString progress(long revision) {
    return event(Long.toString(revision), "progress", new ProgressJson(revision));
  }

  private static ByteString event(String id, String name, Object data) {
    String head = (id == null ? "" : "id: " + id + "\n") + "event: " + name + "\ndata: ";
    return ByteString.fromString(head)
        .concat(ByteString.fromArrayUnsafe(Json.write(data)))
        .concat(ByteString.fromString("\n\n"));
  }

  /** Turns what a watch tells into text, in its order. Called for one event at a time. */
  private static final class Handler implements WatchHandler {
    private final SourceQueueWithComplete<ByteString> queue;
    private final long progressNanos;
    private long toldAt = System.nanoTime();

    Handler(SourceQueueWithComplete<ByteString> queue, Duration progressInterval) {
      this.queue = queue;
      this.progressNanos = progressInterval.toNanos();
    }

    @Override
    public CompletionStage<?> on(WatchEvent event) {
      if (event instanceof WatchEvent.Signals signals) {
        ByteString text = ByteString.emptyByteString();
        for (Signal signal : signals.signals()) {
          text =
              text.concat(event(Long.toString(signal.revision()), "signal", SignalJson.of(signal)));
        }
        return queue.offer(text.concat(progressIfDue(signals.upTo())));
      }
      if (event instanceof WatchEvent.Progress progress) {
        ByteString text = progressIfDue(progress.upTo());
        return text.isEmpty() ? CompletableFuture.completedStage(null) : queue.offer(text);
      }
      if (event instanceof WatchEvent.Compacted compacted) {
        return end(event(null, "compacted", new CompactedJson(compacted.oldest())));
      }
      MemSpaceException reason = ((WatchEvent.Ended) event).reason();
      return end(
          event(
              null,
              "ended",
              Problem.body(
                  reason.code().status(),
                  reason.code().label(),
                  reason.getMessage(),
                  reason.details())));
    }

    /** Silence is filled downstream; this tells the progress of a stream that is never silent. */
    private ByteString progressIfDue(long upTo) {
      long now = System.nanoTime();
      if (now - toldAt < progressNanos) {
        return ByteString.emptyByteString();
      }
      toldAt = now;
      return progress(upTo);
    }

    private CompletionStage<?> end(ByteString last) {
      return queue.offer(last).whenComplete((offered, failure) -> queue.complete());
    }
  }
}
