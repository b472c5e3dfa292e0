package io.nucleusmem.store.tikv;

import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.tikv.kvproto.Errorpb;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.io.grpc.MethodDescriptor;

/** Requests to the stores that lead regions. */
final class Stores {
  private final Rpc rpc;
  private final Regions regions;

  Stores(Rpc rpc, Regions regions) {
    this.rpc = rpc;
    this.regions = regions;
  }

  Rpc rpc() {
    return rpc;
  }

  Regions regions() {
    return regions;
  }

  /** What became of one request. */
  sealed interface Sent<R> {}

  /** The store has answered. */
  record Answered<R>(R answer, Region region) implements Sent<R> {}

  /** The store does not serve the region, or not now: nothing was done. */
  record Refused<R>(String why) implements Sent<R> {}

  /** No answer came: it may have been done. */
  record Lost<R>(Throwable why) implements Sent<R> {}

  /** Sends a request once. Fails if the store is busy with others of ours. */
  <Q, R> CompletableFuture<Sent<R>> once(
      Region region,
      MethodDescriptor<Q, R> method,
      Q request,
      Function<R, Errorpb.Error> errorOf,
      Deadline deadline) {
    return rpc.send(region.address(), method, request, deadline)
        .handle(
            (answer, failure) -> {
              if (failure != null) {
                Throwable cause = Rpc.cause(failure);
                if (cause instanceof StoreException) {
                  return CompletableFuture.<Sent<R>>failedFuture(cause);
                }
                regions.unreachable(region);
                return CompletableFuture.<Sent<R>>completedFuture(new Lost<R>(cause));
              }
              Errorpb.Error error = errorOf.apply(answer);
              if (error.equals(Errorpb.Error.getDefaultInstance())) {
                return CompletableFuture.<Sent<R>>completedFuture(new Answered<>(answer, region));
              }
              if (error.hasRaftEntryTooLarge()) {
                return CompletableFuture.<Sent<R>>failedFuture(
                    new StoreException(
                        "TiKV refuses [%d] bytes in one request: raise its raft-entry-max-size"
                            .formatted(error.getRaftEntryTooLarge().getEntrySize())));
              }
              String why = error.getMessage().isEmpty() ? error.toString() : error.getMessage();
              return regions
                  .refused(region, error, deadline)
                  .<Sent<R>>thenApply(learned -> new Refused<R>(why));
            })
        .thenCompose(Function.identity());
  }

  /** Makes a request for a region. */
  interface Request<Q> {
    Q to(Region region);
  }

  /**
   * Sends a request that may be sent as often as is needed, to whichever region has the key.
   *
   * @param before true: the region of the largest keys in front of it
   */
  <Q, R> CompletableFuture<Answered<R>> retrying(
      ByteString key,
      boolean before,
      MethodDescriptor<Q, R> method,
      Request<Q> request,
      Function<R, Errorpb.Error> errorOf,
      Deadline deadline) {
    return retrying(key, before, method, request, errorOf, deadline, 0);
  }

  private <Q, R> CompletableFuture<Answered<R>> retrying(
      ByteString key,
      boolean before,
      MethodDescriptor<Q, R> method,
      Request<Q> request,
      Function<R, Errorpb.Error> errorOf,
      Deadline deadline,
      int tries) {
    CompletableFuture<Region> found =
        before ? regions.before(key, deadline) : regions.holding(key, deadline);
    return found
        .thenCompose(region -> once(region, method, request.to(region), errorOf, deadline))
        .thenCompose(
            sent -> {
              if (sent instanceof Answered<R> answered) {
                return CompletableFuture.completedFuture(answered);
              }
              if (deadline.hasPassed()) {
                return CompletableFuture.<Answered<R>>failedFuture(late(deadline, sent));
              }
              return rpc.pause(
                  tries,
                  () -> retrying(key, before, method, request, errorOf, deadline, tries + 1));
            });
  }

  /** The failure of a call whose deadline has passed and that has done nothing. */
  static TransientStoreException late(Deadline deadline, Sent<?> last) {
    return new TransientStoreException(
        "TiKV did not answer within [%s]; last: %s".formatted(deadline.allowed(), why(last)));
  }

  static String why(Sent<?> sent) {
    return sent instanceof Refused<?> refused
        ? refused.why()
        : sent instanceof Lost<?> lost ? String.valueOf(lost.why().getMessage()) : "an answer";
  }
}
