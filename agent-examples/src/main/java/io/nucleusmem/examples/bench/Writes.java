package io.nucleusmem.examples.bench;

import io.nucleusmem.memspace.MountedSpace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/** Durable writes to one space by blocking callers. */
final class Writes {
  private static final double COMPILE_SECONDS = 12; // of the load of most callers, before any round

  private record Shape(int writers, int size, String target) {
    String name() {
      return "write/%d/%d".formatted(writers, size);
    }
  }

  private static final Shape[] SHAPES = {
    new Shape(1, 256, "0.80"),
    new Shape(16, 256, "-"),
    new Shape(64, 256, "0.90"),
    new Shape(64, 4_096, "0.90")
  };

  private final Rounds rounds;

  Writes(Rounds rounds) {
    this.rounds = rounds;
  }

  void run(BenchNode node, Baseline baseline, Report into) throws Exception {
    MountedSpace space = node.space();
    AtomicLong n = new AtomicLong();
    Load.closed(64, 0, COMPILE_SECONDS, caller -> Rounds.put(space, n, 256).join());
    Load.closed(64, 0, COMPILE_SECONDS / 3, caller -> Rounds.barePut(baseline, n, 256).join());
    for (Shape shape : SHAPES) {
      if (rounds.wants(shape.name())) {
        run(shape, space, baseline, into);
      }
    }
  }

  private void run(Shape shape, MountedSpace space, Baseline baseline, Report into)
      throws Exception {
    AtomicLong n = new AtomicLong();
    Counted ours = new Counted(caller -> Rounds.put(space, n, shape.size()).join());
    Counted bare = new Counted(caller -> Rounds.barePut(baseline, n, shape.size()).join());
    double[] medians =
        rounds.compare(
            () -> ours.measure(rounds, shape.writers()),
            () -> bare.measure(rounds, shape.writers()));
    into.add(shape.name(), medians[0], "1/s", medians[1], shape.target());
    into.add(
        "flushes/" + shape.name(),
        ours.flushesPerSecond(),
        "1/s",
        bare.flushesPerSecond(),
        "beside the line above");
  }

  /** A load that counts the flushes that the machine's disks made meanwhile. */
  private static final class Counted {
    private final Load.Op op;
    private long flushes;
    private double seconds;

    Counted(Load.Op op) {
      this.op = op;
    }

    double measure(Rounds rounds, int callers) throws Exception {
      long before = flushes();
      long begun = System.nanoTime();
      double rate = rounds.closed(callers, op);
      seconds += (System.nanoTime() - begun) / 1e9;
      flushes += flushes() - before;
      return rate;
    }

    double flushesPerSecond() {
      return flushes / seconds;
    }

    /** Flush requests finished, from the kernel; 0 where it does not tell. */
    private static long flushes() throws Exception {
      Path stats = Path.of("/proc/diskstats");
      long sum = 0;
      if (Files.exists(stats)) {
        for (String line : Files.readAllLines(stats)) {
          String[] fields = line.strip().split("\\s+");
          sum += fields.length > 18 ? Long.parseLong(fields[18]) : 0;
        }
      }
      return sum;
    }
  }
}
