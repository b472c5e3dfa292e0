package io.nucleusmem.examples.bench;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine;

/**
 * What a watcher of a space costs, on the node that owns it and on another one: processor time of
 * the nodes per signal, beyond that of the same writes without watchers.
 */
@CommandLine.Command(
    name = "remote-watchers",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Cost of each further watcher, on the owner's node and on another.")
final class RemoteWatchers implements Callable<Integer> {
  private static final int NODES = 2;
  private static final int WRITERS = 8;
  private static final int[] WATCHERS = {1, 8, 64};
  private static final Duration PATIENT = Duration.ofSeconds(15);
  private static final String SPACE = "watched";
  private static final String VALUE = "v".repeat(256);
  private static final long CAUGHT_UP_NANOS_MAX = TimeUnit.MINUTES.toNanos(2);

  @CommandLine.Option(
      names = "--writes",
      defaultValue = "20000",
      description = "Of each round; there are 8, and one to warm up (20000).")
  private int writes;

  @CommandLine.Option(names = "--report", defaultValue = "target/bench-remote-watchers.json")
  private Path file;

  private BenchCluster nodes;

  @Override
  public Integer call() throws Exception {
    try (Scratch scratch = new Scratch();
        BenchCluster started = new BenchCluster(scratch.dir(), NODES)) {
      nodes = started;
      BenchHttp client = new BenchHttp(nodes::any, PATIENT);
      client.createSpace(SPACE);
      String home = client.json(200, "GET", "/v1/spaces/" + SPACE, "").path("node").asText();
      int owner = nodes.member(0).equals(home) ? 0 : 1;
      round(owner, owner, WATCHERS[WATCHERS.length - 1]);
      round(owner, 1 - owner, WATCHERS[WATCHERS.length - 1]);
      Report report = new Report();
      double none = round(owner, owner, 0);
      report.add("watchers/none/cpu-per-write", none, "us", Double.NaN, "-");
      for (int count : WATCHERS) {
        double local = round(owner, owner, count) - none;
        double remote = round(owner, 1 - owner, count) - none;
        report.add(
            "watchers/local/%d/cpu-per-signal".formatted(count),
            local / count,
            "us",
            Double.NaN,
            "-");
        report.add(
            "watchers/remote/%d/cpu-per-signal".formatted(count),
            remote / count,
            "us",
            local / count,
            "-");
      }
      report.write(file);
      return 0;
    }
  }

  /** Microseconds of processor time that the nodes need for one write and all its signals. */
  private double round(int owner, int watched, int watchers) throws Exception {
    BenchHttp writer = new BenchHttp(() -> nodes.address(owner), PATIENT);
    List<Watcher> all = new ArrayList<>();
    for (int i = 0; i < watchers; i++) {
      all.add(new Watcher(writer, nodes.address(watched)));
    }
    for (Watcher watcher : all) {
      watcher.begun.get(1, TimeUnit.MINUTES);
    }
    Duration before = cpu();
    AtomicLong left = new AtomicLong(writes);
    List<Thread> threads = new ArrayList<>();
    for (int w = 0; w < WRITERS; w++) {
      String key = "k" + w;
      Thread thread =
          new Thread(
              () -> {
                while (left.decrementAndGet() >= 0) {
                  writer.put(SPACE, key, VALUE);
                }
              },
              "writer-" + w);
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    long giveUp = System.nanoTime() + CAUGHT_UP_NANOS_MAX;
    for (Watcher watcher : all) {
      while (watcher.signals.get() < writes) {
        if (System.nanoTime() > giveUp) {
          throw new IllegalStateException(
              "a watcher has %d of %d signals".formatted(watcher.signals.get(), writes));
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
    }
    double micros = cpu().minus(before).toNanos() / 1e3;
    all.forEach(watcher -> watcher.subscription.cancel());
    return micros / writes;
  }

  private Duration cpu() {
    Duration sum = Duration.ZERO;
    for (int i = 0; i < NODES; i++) {
      sum = sum.plus(nodes.node(i).cpu());
    }
    return sum;
  }

  /** Counts the signals of one event stream. */
  private static final class Watcher implements Flow.Subscriber<String> {
    final CompletableFuture<Void> begun = new CompletableFuture<>();
    final AtomicLong signals = new AtomicLong();
    private Flow.Subscription subscription;

    Watcher(BenchHttp http, URI node) {
      HttpRequest request =
          HttpRequest.newBuilder(node.resolve("/v1/spaces/" + SPACE + "/watch")).build();
      http.client()
          .sendAsync(
              request,
              answer -> {
                begun.complete(null);
                return HttpResponse.BodySubscribers.fromLineSubscriber(this);
              })
          .whenComplete(
              (response, failure) -> {
                if (failure != null) {
                  begun.completeExceptionally(failure);
                }
              });
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(String line) {
      if (line.startsWith("event: signal")) {
        signals.incrementAndGet();
      }
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onComplete() {}
  }
}
