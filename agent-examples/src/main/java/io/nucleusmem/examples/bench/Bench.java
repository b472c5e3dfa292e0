package io.nucleusmem.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;

/**
 * Measures the embedded node beside bare RocksDB on the same disk in the same run. Figures of two
 * runs are not comparable; ratios are.
 */
@CommandLine.Command(name = "bench", mixinStandardHelpOptions = true, sortOptions = false)
public final class Bench implements Callable<Integer> {
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

  /** A family of measurements. */
  interface Family {
    void run(BenchNode node, Baseline baseline, Report into) throws Exception;
  }

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Bench()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    Path dir = Files.createTempDirectory("nucleusmem-bench");
    Report into = new Report();
    Workloads loads = new Workloads(quick);
    Map<String, Family> families = new LinkedHashMap<>();
    families.put("write/", loads::writes);
    families.put("signal/", loads::signals);
    families.put("fanout/", loads::fanout);
    families.put("get", loads::reads);
    families.put("scan/", loads::scans);
    families.put("contended", loads::contended);
    try {
      try (BenchNode node = new BenchNode(dir.resolve("node"), "10m");
          Baseline baseline = new Baseline(dir.resolve("baseline"))) {
        for (Map.Entry<String, Family> family : families.entrySet()) {
          if (wanted(family.getKey())) {
            family.getValue().run(node, baseline, into);
          }
        }
        if (wanted("idle-space/heap")) {
          loads.heap(node, into);
        }
      }
      if (wanted("activate")) {
        try (BenchNode node = new BenchNode(dir.resolve("activation"), "1s")) {
          loads.activation(node, into);
        }
      }
      into.write(report);
      return 0;
    } finally {
      delete(dir);
    }
  }

  private boolean wanted(String family) {
    List<String> contended = List.of("cas", "add", "append", "claim");
    return names.isEmpty()
        || names.stream()
            .anyMatch(
                name ->
                    name.startsWith(family)
                        || family.startsWith(name)
                        || family.equals("contended")
                            && contended.stream().anyMatch(name::startsWith));
  }

  private static void delete(Path dir) throws IOException {
    try (Stream<Path> all = Files.walk(dir)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
