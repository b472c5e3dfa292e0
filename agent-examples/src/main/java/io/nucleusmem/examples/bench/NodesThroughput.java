package io.nucleusmem.examples.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine;

/** What one JVM and what three JVMs do on the same store, asked through HTTP. */
@CommandLine.Command(
    name = "nodes",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Throughput of three nodes beside that of one; the clients spread over them.")
final class NodesThroughput implements Callable<Integer> {
  private static final int[] NODES = {1, 3};
  private static final int SPACES = 48;
  private static final int CALLERS = 48;
  private static final int KEYS = 100;
  private static final double WARM_SECONDS = 15;
  private static final Duration PATIENT = Duration.ofSeconds(15);
  private static final String VALUE = "v".repeat(256);

  @CommandLine.Option(
      names = "--seconds",
      defaultValue = "15",
      description = "Of each load, beside 15 s of warming up (15).")
  private double seconds;

  @CommandLine.Option(names = "--report", defaultValue = "target/bench-nodes.json")
  private Path file;

  @Override
  public Integer call() throws Exception {
    Report report = new Report();
    double write = Double.NaN;
    double read = Double.NaN;
    for (int count : NODES) {
      try (Scratch scratch = new Scratch();
          BenchCluster nodes = new BenchCluster(scratch.dir(), count)) {
        List<BenchHttp> clients = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
          int node = i % count;
          clients.add(new BenchHttp(() -> nodes.address(node), PATIENT));
        }
        for (int s = 0; s < SPACES; s++) {
          clients.get(0).createSpace("t" + s);
          for (int k = 0; k < KEYS; k++) {
            clients.get(0).put("t" + s, "k" + k, VALUE);
          }
        }
        AtomicLong n = new AtomicLong();
        double writes =
            Load.closed(
                CALLERS,
                WARM_SECONDS,
                seconds,
                caller -> clients.get(caller).put(space(n), key(n), VALUE));
        double reads =
            Load.closed(
                CALLERS,
                WARM_SECONDS,
                seconds,
                caller -> clients.get(caller).get(space(n), key(n)));
        report.add("nodes/" + count + "/write", writes, "1/s", write, "-");
        report.add("nodes/" + count + "/get", reads, "1/s", read, "-");
        write = count == 1 ? writes : write;
        read = count == 1 ? reads : read;
      }
    }
    report.write(file);
    return 0;
  }

  private static String space(AtomicLong n) {
    return "t" + n.incrementAndGet() % SPACES;
  }

  private static String key(AtomicLong n) {
    return "k" + n.get() / SPACES % KEYS;
  }
}
