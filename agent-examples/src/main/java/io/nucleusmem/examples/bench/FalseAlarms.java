package io.nucleusmem.examples.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine;

/**
 * Three nodes on processors that have more to do than they can, stopped now and then for a second
 * or two: nobody may be taken for dead.
 */
@CommandLine.Command(
    name = "false-alarms",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Saturates all processors, pauses nodes, and counts who was taken for dead.")
final class FalseAlarms implements Callable<Integer> {
  private static final int NODES = 3;
  private static final int BUSY_PER_PROCESSOR = 3;
  private static final int SPACES = 12;
  private static final Duration PATIENT = Duration.ofSeconds(30);
  private static final int PAUSE_MILLIS_MIN = 1_000;
  private static final int PAUSE_MILLIS_MAX = 2_000;
  private static final int BETWEEN_MILLIS_MIN = 3_000;
  private static final int BETWEEN_MILLIS_MAX = 6_000;

  @CommandLine.Option(
      names = "--minutes",
      defaultValue = "10",
      description = "How long; the start takes a minute more (10).")
  private double minutes;

  @CommandLine.Option(names = "--seed", defaultValue = "7", description = "Of the pauses (7).")
  private long seed;

  @CommandLine.Option(names = "--report", defaultValue = "target/bench-false-alarms.json")
  private Path file;

  private final AtomicBoolean stop = new AtomicBoolean();

  @Override
  public Integer call() throws Exception {
    try (Scratch scratch = new Scratch();
        BenchCluster nodes = new BenchCluster(scratch.dir(), NODES)) {
      BenchHttp client = new BenchHttp(nodes::any, PATIENT);
      for (int s = 0; s < SPACES; s++) {
        client.createSpace("a" + s);
      }
      List<Thread> threads = new ArrayList<>();
      int busy = BUSY_PER_PROCESSOR * Runtime.getRuntime().availableProcessors();
      for (int i = 0; i < busy; i++) {
        threads.add(new Thread(this::burn, "busy-" + i));
      }
      threads.add(new Thread(() -> write(client), "writer"));
      threads.forEach(Thread::start);
      int pauses = pause(nodes);
      stop.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      report(nodes, pauses, busy);
      return 0;
    } finally {
      stop.set(true);
    }
  }

  private void burn() {
    long sum = 0;
    while (!stop.get()) {
      sum = sum * 31 + System.nanoTime();
    }
    if (sum == 42) { // so that it is not optimized away
      System.out.print("");
    }
  }

  private void write(BenchHttp client) {
    for (int i = 0; !stop.get(); i++) {
      client.put("a" + i % SPACES, "k", "v" + i);
    }
  }

  private int pause(BenchCluster nodes) {
    Random random = new Random(seed);
    long end = System.nanoTime() + (long) (minutes * TimeUnit.MINUTES.toNanos(1));
    int pauses = 0;
    while (System.nanoTime() < end) {
      sleep(random, BETWEEN_MILLIS_MIN, BETWEEN_MILLIS_MAX);
      BenchProcess node = nodes.node(random.nextInt(NODES));
      node.signal("STOP");
      sleep(random, PAUSE_MILLIS_MIN, PAUSE_MILLIS_MAX);
      node.signal("CONT");
      pauses++;
    }
    return pauses;
  }

  private static void sleep(Random random, int min, int max) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(min, max)));
  }

  private void report(BenchCluster nodes, int pauses, int busy) throws Exception {
    int unreachable = 0;
    int gone = 0;
    for (int i = 0; i < NODES; i++) {
      for (String line : nodes.node(i).lines()) {
        unreachable += line.contains("as UNREACHABLE") ? 1 : 0;
      }
      gone += nodes.node(i).isAlive() ? 0 : 1;
    }
    Report report = new Report();
    report.add("false-alarms/busy-threads", busy, "", Double.NaN, "-");
    report.add("false-alarms/pauses", pauses, "", Double.NaN, "-");
    report.add("false-alarms/unreachable", unreachable, "", Double.NaN, "0");
    report.add("false-alarms/downed", gone, "", Double.NaN, "0");
    report.write(file);
  }
}
