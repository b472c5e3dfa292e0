package io.nucleusmem.http;

import akka.Done;
import akka.http.javadsl.model.HttpEntity;
import akka.http.javadsl.model.HttpRequest;
import akka.stream.Materializer;
import akka.stream.javadsl.Sink;
import akka.util.ByteString;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.Bytes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Reads request bodies, each to its limit. What is larger is read on to the end and thrown away, so
 * that the client, who sends before he reads, gets his 413; past {@code drainBytesMax} the
 * connection is given up.
 */
final class Bodies {
  private final Materializer materializer;
  private final int rawBytesMax;
  private final int jsonBytesMax;
  private final long drainBytesMax;

  Bodies(Materializer materializer, int rawBytesMax, int jsonBytesMax, long drainBytesMax) {
    this.materializer = materializer;
    this.rawBytesMax = rawBytesMax;
    this.jsonBytesMax = jsonBytesMax;
    this.drainBytesMax = drainBytesMax;
  }

  /** The body of an entry or message. */
  CompletionStage<Bytes> raw(HttpRequest request) {
    return read(request, rawBytesMax);
  }

  /** The body of everything else. */
  CompletionStage<Bytes> json(HttpRequest request) {
    return read(request, jsonBytesMax);
  }

  /**
   * Lets go of a body that nobody reads, so that the connection can be used again.
   *
   * @return completes, never with a failure, when the body has come to its end, was read before or
   *     is given up
   */
  CompletionStage<Done> discard(HttpRequest request) {
    if (request.entity() instanceof HttpEntity.Strict) {
      return CompletableFuture.completedStage(Done.getInstance());
    }
    return request
        .entity()
        .withSizeLimit(drainBytesMax)
        .discardBytes(materializer)
        .completionStage()
        .exceptionally(failure -> Done.getInstance());
  }

  private CompletionStage<Bytes> read(HttpRequest request, int bytesMax) {
    if (request.entity() instanceof HttpEntity.Strict strict) {
      ByteString data = strict.getData();
      return data.size() <= bytesMax
          ? CompletableFuture.completedFuture(Bytes.wrap(data.toArray()))
          : CompletableFuture.failedFuture(tooLarge(data.size(), bytesMax));
    }
    return request
        .entity()
        .withSizeLimit(drainBytesMax)
        .getDataBytes()
        .runWith(
            Sink.fold(
                new Kept(ByteString.emptyByteString(), 0),
                (kept, part) -> kept.and(part, bytesMax)),
            materializer)
        .handle(
            (kept, failure) -> {
              if (failure != null) {
                Throwable cause = Problem.unwrap(failure);
                throw cause instanceof akka.http.scaladsl.model.EntityStreamSizeException
                    ? tooLarge(drainBytesMax, bytesMax)
                    : new CompletionException(
                        MemSpaceException.invalid(
                            "body",
                            "cut off: " + cause.getMessage(),
                            "a body as long as announced"));
              }
              if (kept.size() > bytesMax) {
                throw tooLarge(kept.size(), bytesMax);
              }
              return Bytes.wrap(kept.data().toArray());
            });
  }

  private static MemSpaceException tooLarge(long found, int max) {
    return MemSpaceException.tooLarge("body", found, max, "bytes");
  }

  /** The first bytes of a body, and how many there were. */
  private record Kept(ByteString data, long size) {
    Kept and(ByteString part, int bytesMax) {
      long total = size + part.size();
      return new Kept(total <= bytesMax ? data.concat(part) : ByteString.emptyByteString(), total);
    }
  }
}
