package io.nucleusmem.examples.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine;

/**
 * How long after one of three nodes is killed, or hangs, every space takes writes and every agent
 * handles messages again, wherever it lived.
 */
@CommandLine.Command(
    name = "failover",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Kills nodes, and lets some hang, until all goes on elsewhere.")
final class Failover implements Callable<Integer> {
  private static final int SPACES = 24;
  private static final int AGENTS = 12;
  private static final int WARM_UP = 20; // writes to each space
  // long: a node asks again by itself, and each try that is broken off costs a connection
  private static final Duration TRY_MAX = Duration.ofSeconds(5);
  private static final Duration PATIENT = Duration.ofSeconds(15);
  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  @CommandLine.Option(
      names = "--rounds",
      defaultValue = "20",
      description = "Kills of the oldest node, and as many of another; some 12 s each (20).")
  private int rounds;

  @CommandLine.Option(
      names = "--hang-rounds",
      defaultValue = "3",
      description = "Nodes, old and other, that hang; some 25 s each (3).")
  private int hangRounds;

  @CommandLine.Option(names = "--report", defaultValue = "target/bench-failover.json")
  private Path file;

  private final ExecutorService threads = Executors.newFixedThreadPool(SPACES + AGENTS);
  private final List<Integer> byAge = new ArrayList<>(List.of(0, 1, 2));
  private BenchCluster nodes;
  private BenchHttp patient;
  private BenchHttp caller;
  private int round;

  /** What was found of one kind of event, in nanoseconds. */
  private static final class Times {
    final List<Long> spaces = new ArrayList<>();
    final List<Long> agents = new ArrayList<>();
    final FailoverSteps steps = new FailoverSteps();
  }

  @Override
  public Integer call() throws Exception {
    try (Scratch scratch = new Scratch();
        BenchCluster started =
            new BenchCluster(
                scratch.dir(),
                byAge.size(),
                "nucleusmem.agents.types = [" + BenchEcho.class.getName() + "]")) {
      nodes = started;
      patient = new BenchHttp(nodes::any, PATIENT);
      caller = new BenchHttp(nodes::any, TRY_MAX);
      prepare();
      for (int node = 0; node < nodes.count(); node++) {
        warmUp(node);
      }
      Report report = new Report();
      measure("kill", rounds, false, "2000", "4000", report);
      measure("hang", hangRounds, true, "12000", "12000", report);
      report.write(file);
      return 0;
    } finally {
      threads.shutdownNow();
    }
  }

  private void measure(
      String event, int count, boolean hang, String median, String worst, Report report)
      throws Exception {
    Times oldest = new Times();
    Times other = new Times();
    for (int i = 0; i < count; i++) {
      lose(byAge.get(0), hang, oldest);
      lose(byAge.get(1), hang, other);
    }
    if (count > 0) {
      add(report, event + "-oldest/space", oldest.spaces, median, worst);
      add(report, event + "-oldest/agent", oldest.agents, median, worst);
      oldest.steps.report(report, event + "-oldest");
      add(report, event + "-other/space", other.spaces, median, worst);
      add(report, event + "-other/agent", other.agents, median, worst);
      other.steps.report(report, event + "-other");
    }
  }

  private static void add(
      Report report, String name, List<Long> nanos, String median, String worst) {
    report.add(
        "failover/" + name + "/median",
        Load.percentileMillis(nanos, 0.5),
        "ms",
        Double.NaN,
        median);
    report.add(
        "failover/" + name + "/worst", Load.percentileMillis(nanos, 1), "ms", Double.NaN, worst);
  }

  private void lose(int victim, boolean hang, Times times) throws Exception {
    String mark = "round-" + round++;
    LocalTime clock = LocalTime.now();
    if (hang) {
      nodes.hang(victim);
    } else {
      nodes.kill(victim);
    }
    long lost = System.nanoTime();
    List<CompletableFuture<Long>> spaces = new ArrayList<>();
    List<CompletableFuture<Long>> agents = new ArrayList<>();
    for (int s = 0; s < SPACES; s++) {
      String space = "f" + s;
      spaces.add(timed(lost, () -> caller.put(space, "k", mark)));
    }
    for (int a = 1; a <= AGENTS; a++) {
      String agent = "echo-" + a;
      agents.add(timed(lost, () -> tell(agent, mark)));
    }
    times.spaces.add(last(spaces));
    times.agents.add(last(agents));
    List<BenchProcess> living =
        byAge.stream().filter(node -> node != victim).map(nodes::node).toList();
    times.steps.take(living, clock, Duration.ofNanos(System.nanoTime() - lost));
    nodes.restart(victim);
    warmUp(victim);
    byAge.remove((Integer) victim);
    byAge.add(victim);
  }

  private void prepare() {
    patient.createSpace("echoes");
    for (int s = 0; s < SPACES; s++) {
      patient.createSpace("f" + s);
    }
    patient.json(
        200,
        "POST",
        "/v1/agent-types/echo/scale",
        "{\"instances\": %d, \"mounts\": [{\"space\": \"echoes\", \"access\": \"read_write\"}]}"
            .formatted(AGENTS));
  }

  /** What a JVM does for the first time is slow: fail-over is of nodes that have been at work. */
  private void warmUp(int node) {
    BenchHttp client = new BenchHttp(() -> nodes.address(node), PATIENT);
    for (int i = 0; i < WARM_UP; i++) {
      for (int s = 0; s < SPACES; s++) {
        client.put("f" + s, "k", "warm " + i);
      }
    }
  }

  private CompletableFuture<Long> timed(long since, Runnable call) {
    return CompletableFuture.supplyAsync(
        () -> {
          call.run();
          return System.nanoTime() - since;
        },
        threads);
  }

  /** Sends a message to an agent and waits until it has handled it. */
  private void tell(String agent, String text) {
    BenchHttp.expect(
        202, caller.call("POST", "/v1/agents/" + agent + "/messages", text, "text/plain"));
    String entry = "/v1/spaces/echoes/entries/" + agent + "/" + text;
    while (caller.call("GET", entry, "", "text/plain").statusCode() == 404) {
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
    }
  }

  private static long last(List<CompletableFuture<Long>> all) {
    return all.stream().mapToLong(CompletableFuture::join).max().orElseThrow();
  }
}
