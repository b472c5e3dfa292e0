package io.nucleusmem.store.tikv.server;

import java.util.Optional;
import org.tikv.kvproto.Errorpb;
import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.com.google.protobuf.Message;
import org.tikv.shade.io.grpc.Status;
import org.tikv.shade.io.grpc.stub.StreamObserver;

/** A request to a store. Region errors and key errors go into the fields that answers have. */
final class StoreCall<R extends Message> implements Call {
  /** What the request wants done, once it is known to have come to the right place. */
  @FunctionalInterface
  interface Work<R> {
    R run(Region region) throws KeyFailure, RegionFailure;
  }

  private final RequestKind kind;
  private final long store;
  private final Message request;
  private final Context context;
  private final Regions regions;
  private final R empty;
  private final StreamObserver<R> out;
  private final Work<R> work;

  StoreCall(
      RequestKind kind,
      long store,
      Message request,
      Context context,
      Regions regions,
      R empty,
      StreamObserver<R> out,
      Work<R> work) {
    this.kind = kind;
    this.store = store;
    this.request = request;
    this.context = context;
    this.regions = regions;
    this.empty = empty;
    this.out = out;
    this.work = work;
  }

  @Override
  public RequestKind kind() {
    return kind;
  }

  @Override
  public long store() {
    return store;
  }

  @Override
  public Message request() {
    return request;
  }

  @Override
  public Region region() {
    return regions.byId(context.getRegionId()).orElseGet(() -> regions.at(ByteString.EMPTY));
  }

  @Override
  public Runnable apply() {
    R answer;
    try {
      answer = result();
    } catch (RuntimeException unexpected) {
      return () ->
          fail(Status.INTERNAL.withDescription("test server: " + unexpected).withCause(unexpected));
    }
    return () -> send(answer);
  }

  private R result() {
    // One request at a time: no split can come between the check of the epoch and the work.
    synchronized (regions) {
      Optional<Errorpb.Error> misdirected = RegionErrors.of(context, store, regions);
      if (misdirected.isPresent()) {
        return with("region_error", misdirected.get());
      }
      try {
        return work.run(regions.byId(context.getRegionId()).orElseThrow());
      } catch (RegionFailure failure) {
        return with("region_error", failure.error());
      } catch (KeyFailure failure) {
        return with("error", failure.error());
      }
    }
  }

  @Override
  public void fail(Status status) {
    out.onError(status.asRuntimeException());
  }

  @Override
  public void refuse(Errorpb.Error error) {
    send(with("region_error", error));
  }

  private void send(R answer) {
    out.onNext(answer);
    out.onCompleted();
  }

  @SuppressWarnings("unchecked") // a builder of R builds an R
  private R with(String field, Message value) {
    var descriptor = empty.getDescriptorForType().findFieldByName(field);
    return (R) empty.newBuilderForType().setField(descriptor, value).build();
  }
}
