package io.nucleusmem.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;

/**
 * Measures the embedded node beside bare RocksDB on the same disk in the same run. Figures of two
 * runs are not comparable; ratios are.
 */
@CommandLine.Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    subcommands = {Failover.class, FalseAlarms.class, NodesThroughput.class, RemoteWatchers.class})
public final class Bench implements Callable<Integer> {
  private static final Map<String, Object> UNBOUND =
      Map.of("nucleusmem.retention.rows-per-second", 100_000_000);

  @CommandLine.Option(
      names = "--quick",
      description = "Shorter rounds and smaller sizes: under 5 minutes.")
  private boolean quick;

  @CommandLine.Option(
      names = "--report",
      defaultValue = "target/bench.json",
      description = "Where to write the figures.")
  private Path report;

  @CommandLine.Parameters(
      paramLabel = "NAME",
      description = "Only those that begin with one of these names.")
  private List<String> names = List.of();

  /** Runs the command; ends the JVM. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Bench()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    Path dir = Files.createTempDirectory("nucleusmem-bench");
    Report into = new Report();
    Rounds rounds = new Rounds(quick, names);
    try {
      try (BenchNode node = new BenchNode(dir.resolve("node"), "10m");
          Baseline baseline = new Baseline(dir.resolve("baseline"))) {
        if (rounds.wantsAny("write/")) {
          new Writes(rounds).run(node, baseline, into);
        }
        new Signals(rounds).run(node, baseline, into);
        new Reads(rounds).run(node, baseline, into);
        new Contention(rounds).run(node, baseline, into);
        if (rounds.wants("idle-space/heap")) {
          new Spaces(rounds).heap(node, into);
        }
      }
      if (rounds.wantsAny("receipts/")) {
        new ReceiptCosts(rounds).run(dir.resolve("receipts"), into);
      }
      if (rounds.wants("activate/1000000")) {
        try (BenchNode node = new BenchNode(dir.resolve("activation"), "1s")) {
          new Spaces(rounds).activation(node, into);
        }
      }
      if (rounds.wants(TikvPrices.NAME)) {
        new TikvPrices().run(dir.resolve("tikv"), into);
      }
      if (rounds.wantsAny("fork/1000", "fork/100000", "fork/1000000", "fork-read/", "cut/1000")) {
        try (BenchNode node = new BenchNode(dir.resolve("forks"), "10m")) {
          new ForkBench(rounds).run(node, into);
        }
      }
      flattening(rounds, dir, into);
      compaction(rounds, dir, into);
      new StageOne(rounds).run(into);
      into.write(report);
      return 0;
    } finally {
      delete(dir);
    }
  }

  private static void flattening(Rounds rounds, Path dir, Report into) throws Exception {
    if (rounds.wants("fork/flatten/default")) {
      try (BenchNode node = new BenchNode(dir.resolve("flattening"), "10m")) {
        new Flattening(rounds).run(node, into, "default");
      }
    }
    if (rounds.wants("fork/flatten/unbound")) {
      try (BenchNode node = new BenchNode(dir.resolve("flattening-unbound"), "10m", UNBOUND)) {
        new Flattening(rounds).run(node, into, "unbound");
      }
    }
  }

  private static void compaction(Rounds rounds, Path dir, Report into) throws Exception {
    if (rounds.wants("compact/default")) {
      try (BenchNode node = new BenchNode(dir.resolve("compaction"), "10m")) {
        new Compaction(rounds).run(node, into, "default");
      }
    }
    if (rounds.wants("compact/unbound")) {
      try (BenchNode node = new BenchNode(dir.resolve("unbound"), "10m", UNBOUND)) {
        new Compaction(rounds).run(node, into, "unbound");
      }
    }
  }

  private static void delete(Path dir) throws IOException {
    try (Stream<Path> all = Files.walk(dir)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
