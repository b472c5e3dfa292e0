package io.nucleusmem.store.tikv;

import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.tikv.shade.io.grpc.CallOptions;
import org.tikv.shade.io.grpc.ConnectivityState;
import org.tikv.shade.io.grpc.ManagedChannel;
import org.tikv.shade.io.grpc.MethodDescriptor;
import org.tikv.shade.io.grpc.netty.GrpcSslContexts;
import org.tikv.shade.io.grpc.netty.NettyChannelBuilder;
import org.tikv.shade.io.grpc.stub.ClientCalls;
import org.tikv.shade.io.grpc.stub.StreamObserver;
import org.tikv.shade.io.netty.handler.ssl.SslContext;
import org.tikv.shade.io.netty.handler.ssl.SslContextBuilder;

/**
 * Connections to PD and the stores of a cluster, and single requests on them, without a thread per
 * request. At most so many are under way to one address, so that one that hangs holds little.
 */
final class Rpc implements AutoCloseable {
  private static final int MESSAGE_BYTES_MAX = 64 << 20;
  private static final Duration RECONNECT = Duration.ofMillis(500);
  private static final long PAUSE_MILLIS_MIN = 2;
  private static final long PAUSE_MILLIS_MAX = 500;

  private final TikvSettings settings;
  private final Map<String, ManagedChannel> channels = new ConcurrentHashMap<>();
  private final Set<String> reconnecting = ConcurrentHashMap.newKeySet();
  private final Map<String, Semaphore> inFlight = new ConcurrentHashMap<>();
  private final Optional<SslContext> tls;
  private final ScheduledExecutorService timer;
  private volatile boolean closed;

  /**
   * Connects to nobody yet.
   *
   * @throws StoreException if the certificates can't be used
   */
  Rpc(TikvSettings settings) {
    this.settings = settings;
    this.tls = settings.tls().map(Rpc::context);
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            run -> {
              Thread thread = new Thread(run, "nucleusmem-tikv-timer");
              thread.setDaemon(true);
              return thread;
            });
  }

  TikvSettings settings() {
    return settings;
  }

  /** A connection; made at first use. */
  ManagedChannel channel(String address) {
    ManagedChannel channel = channels.computeIfAbsent(address, this::connect);
    if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE
        && reconnecting.add(address)) {
      // gRPC's own pauses between tries grow to two minutes: a store that is back would not be used
      schedule(
          RECONNECT,
          () -> {
            reconnecting.remove(address);
            channel.resetConnectBackoff();
          });
    }
    return channel;
  }

  private ManagedChannel connect(String address) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget(address)
            .maxInboundMessageSize(MESSAGE_BYTES_MAX)
            .directExecutor(); // answers only complete stages, which hop to the callbacks' executor
    return tls.map(builder::sslContext).orElseGet(builder::usePlaintext).build();
  }

  private static SslContext context(TikvSettings.Tls tls) {
    try {
      SslContextBuilder context = GrpcSslContexts.forClient().trustManager(tls.ca().toFile());
      if (tls.certificate() != null) {
        context.keyManager(tls.certificate().toFile(), tls.key().toFile());
      }
      return context.build();
    } catch (IOException | IllegalArgumentException e) {
      throw new StoreException(
          ("the files of nucleusmem.store.tikv.tls can't be used: %s. They must be PEM, the key in PKCS#8 without a"
                  + " password (openssl pkcs8 -topk8 -nocrypt makes one)")
              .formatted(e.getMessage()),
          e);
    }
  }

  /** One request, one answer; fails with what gRPC says, or as busy. */
  <Q, R> CompletableFuture<R> send(
      String address, MethodDescriptor<Q, R> method, Q request, Deadline deadline) {
    if (closed) {
      return CompletableFuture.failedFuture(new StoreException("the store is closed"));
    }
    Semaphore permits =
        inFlight.computeIfAbsent(address, same -> new Semaphore(settings.inFlightMax()));
    if (!permits.tryAcquire()) {
      return CompletableFuture.failedFuture(
          new TransientStoreException(
              "[%d] requests are under way to [%s], nucleusmem.store.tikv.in-flight-max; busy"
                  .formatted(settings.inFlightMax(), address)));
    }
    CompletableFuture<R> answer = new CompletableFuture<>();
    long millis = Math.max(1, Math.min(settings.requestTimeout().toMillis(), deadline.left()));
    ClientCalls.asyncUnaryCall(
        channel(address)
            .newCall(method, CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS)),
        request,
        new StreamObserver<R>() {
          @Override
          public void onNext(R value) {
            permits.release();
            answer.complete(value);
          }

          @Override
          public void onError(Throwable failure) {
            permits.release();
            answer.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {}
        });
    return answer;
  }

  /** Runs a step after a pause that grows with the number of tries before. */
  <T> CompletableFuture<T> pause(int tries, Supplier<CompletableFuture<T>> step) {
    long most = Math.min(PAUSE_MILLIS_MAX, PAUSE_MILLIS_MIN << Math.min(tries, 10));
    return after(
        Duration.ofMillis(ThreadLocalRandom.current().nextLong(PAUSE_MILLIS_MIN, most + 1)), step);
  }

  <T> CompletableFuture<T> after(Duration delay, Supplier<CompletableFuture<T>> step) {
    CompletableFuture<T> result = new CompletableFuture<>();
    schedule(
        delay,
        () ->
            step.get()
                .whenComplete(
                    (value, failure) -> {
                      if (failure == null) {
                        result.complete(value);
                      } else {
                        result.completeExceptionally(failure);
                      }
                    }));
    return result;
  }

  void schedule(Duration delay, Runnable step) {
    timer.schedule(step, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** What a stage failed with, not wrapped. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof java.util.concurrent.CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  @Override
  public void close() {
    closed = true;
    channels.values().forEach(ManagedChannel::shutdownNow);
    timer.shutdownNow();
  }
}
