package io.nucleusmem.store.tikv;

import io.nucleusmem.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb.TsoRequest;
import org.tikv.kvproto.Pdpb.TsoResponse;
import org.tikv.shade.io.grpc.stub.ClientCallStreamObserver;
import org.tikv.shade.io.grpc.stub.StreamObserver;

/**
 * Timestamps of PD's oracle: one stream, one request under way on it, which asks for as many as
 * wait. Milliseconds in the upper 46 bits, a counter in the lower 18, as the store's own.
 */
final class Tso {
  private static final int COUNTER_BITS = 18;
  private static final int REQUEST_MAX = 10_000; // timestamps asked for at once
  private static final Duration RETRY = Duration.ofMillis(20);

  private final Rpc rpc;
  private final Pd pd;
  private final Deque<CompletableFuture<Long>> waiting = new ArrayDeque<>();
  private List<CompletableFuture<Long>> asked; // null: nothing is under way
  private Stream stream; // null: to be opened
  private long requests;
  private boolean closed;

  Tso(Rpc rpc, Pd pd) {
    this.rpc = rpc;
    this.pd = pd;
  }

  /** The next timestamp; fails when the deadline has passed. */
  CompletableFuture<Long> next(Deadline deadline) {
    CompletableFuture<Long> result = new CompletableFuture<>();
    synchronized (this) {
      waiting.add(result);
      ask();
    }
    return result
        .orTimeout(deadline.left(), TimeUnit.MILLISECONDS)
        .handle(
            (timestamp, failure) -> {
              if (failure != null) {
                throw new TransientStoreException(
                    "PD at [%s] gave no timestamp within [%s]"
                        .formatted(pd.leader(), deadline.allowed()));
              }
              return timestamp;
            });
  }

  synchronized void close() {
    closed = true;
    if (stream != null) {
      stream.cancel();
    }
  }

  private void ask() {
    if (asked != null || waiting.isEmpty() || closed) {
      return;
    }
    if (stream == null) {
      stream = new Stream();
      stream.open();
      if (asked != null) { // it ended at once
        return;
      }
    }
    asked = new ArrayList<>();
    while (!waiting.isEmpty() && asked.size() < REQUEST_MAX) {
      CompletableFuture<Long> next = waiting.poll();
      if (!next.isDone()) { // else it has timed out
        asked.add(next);
      }
    }
    if (asked.isEmpty()) {
      asked = null;
      return;
    }
    long request = ++requests;
    stream.requests.onNext(
        TsoRequest.newBuilder().setHeader(pd.header()).setCount(asked.size()).build());
    Stream on = stream;
    rpc.schedule(rpc.settings().requestTimeout(), () -> giveUp(on, request));
  }

  private synchronized void giveUp(Stream on, long request) {
    if (stream == on && asked != null && requests == request) {
      on.cancel();
    }
  }

  private final class Stream implements StreamObserver<TsoResponse> {
    StreamObserver<TsoRequest> requests;
    private boolean over;

    /** Its end may be told before this returns: where a connection is known to be broken. */
    void open() {
      requests = PDGrpc.newStub(rpc.channel(pd.leader())).tso(this);
    }

    /** Ends it, without waiting to be told of its end; what was asked is asked elsewhere. */
    void cancel() {
      ended();
      ((ClientCallStreamObserver<TsoRequest>) requests).cancel("given up", null);
    }

    @Override
    public void onNext(TsoResponse answer) {
      if (answer.getHeader().hasError()) {
        cancel();
        return;
      }
      List<CompletableFuture<Long>> given;
      synchronized (Tso.this) {
        if (over || asked == null) {
          return;
        }
        given = asked;
        asked = null;
        ask();
      }
      long last =
          (answer.getTimestamp().getPhysical() << COUNTER_BITS)
              + answer.getTimestamp().getLogical();
      for (int i = 0; i < given.size(); i++) {
        given.get(i).complete(last - given.size() + 1 + i);
      }
    }

    @Override
    public void onError(Throwable failure) {
      ended();
    }

    @Override
    public void onCompleted() {
      ended();
    }

    private void ended() {
      synchronized (Tso.this) {
        if (over) {
          return;
        }
        over = true;
        if (asked != null) {
          for (int i = asked.size() - 1; i >= 0; i--) {
            waiting.addFirst(asked.get(i));
          }
        }
        asked = List.of(); // nobody asks until the leader is known again
      }
      if (closed) {
        return;
      }
      rpc.schedule(
          RETRY,
          () ->
              pd.findLeader(Deadline.in(rpc.settings().requestTimeout()), 0)
                  .whenComplete(
                      (found, failure) -> {
                        synchronized (Tso.this) {
                          stream = null;
                          asked = null;
                          ask();
                        }
                      }));
    }
  }
}
