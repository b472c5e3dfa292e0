package io.nucleusmem.examples.bench;

import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What bounds a fail-over: when each of its steps had been taken, as the nodes that live log them.
 * Steps that a round did not need are left out of it.
 */
final class FailoverSteps {
  /** The steps, and the line that tells of each. */
  enum Step {
    /** Somebody knows that the node is dead, or takes it for that. */
    NOTICED(true, "its port refuses connections", "as UNREACHABLE"),
    /** All agree that it is no member any more. */
    REMOVED(false, "ClusterSingletonManager Member removed"),
    /** The coordinators of sharding, if they were its, have begun elsewhere. */
    COORDINATED(false, "ShardCoordinator was moved to the active state"),
    /** The last owner of a space or topic has begun elsewhere. */
    PLACED(false, "LedgerOwner ledger ", " opens"),
    /** It knows its newest commit. */
    OPEN(false, "LedgerOwner ledger ", " is open"),
    /** The last agent has its mounts and its behavior. */
    RUNNING(false, "AgentRunner agent ", " runs");

    private final boolean first; // else the last line counts
    private final String one;
    private final String other;

    Step(boolean first, String one) {
      this(first, one, "");
    }

    Step(boolean first, String one, String other) {
      this.first = first;
      this.one = one;
      this.other = other;
    }

    private boolean isIn(String line) {
      return first
          ? line.contains(one) || line.contains(other)
          : line.contains(one) && line.contains(other);
    }
  }

  /** What the nodes of a {@link BenchCluster} have to log so that steps are found. */
  static final String LOGGERS =
      """
        <logger name="akka.cluster.singleton.ClusterSingletonManager" level="INFO"/>
        <logger name="akka.cluster.sharding.DDataShardCoordinator" level="INFO"/>
        <logger name="io.nucleusmem.memspace.LedgerOwner" level="DEBUG"/>
        <logger name="io.nucleusmem.agent.AgentRunner" level="DEBUG"/>
      """;

  private final Map<Step, List<Long>> nanos = new EnumMap<>(Step.class);

  /**
   * Looks through what the nodes have said.
   *
   * @param since when the node was lost, as the nodes' clock has it
   * @param within how long the round has taken; what came later belongs to it no more
   */
  void take(List<BenchProcess> nodes, LocalTime since, Duration within) {
    for (Step step : Step.values()) {
      OptionalLong found =
          step.first
              ? times(nodes, step, since, within).stream().mapToLong(Long::longValue).min()
              : times(nodes, step, since, within).stream().mapToLong(Long::longValue).max();
      found.ifPresent(at -> nanos.computeIfAbsent(step, same -> new ArrayList<>()).add(at));
    }
  }

  private static List<Long> times(
      List<BenchProcess> nodes, Step step, LocalTime since, Duration within) {
    List<Long> times = new ArrayList<>();
    for (BenchProcess node : nodes) {
      for (String line : node.lines()) {
        if (step.isIn(line)) {
          try {
            String time = line.substring(0, Math.max(0, line.indexOf(' ')));
            long at = Duration.between(since, LocalTime.parse(time)).toNanos();
            long sinceThen = Math.floorMod(at, Duration.ofDays(1).toNanos()); // midnight
            if (sinceThen <= within.toNanos()) {
              times.add(sinceThen);
            }
          } catch (DateTimeParseException e) {
            continue; // a line of a trace
          }
        }
      }
    }
    return times;
  }

  /** The median of each step. */
  void report(Report report, String name) {
    nanos.forEach(
        (step, all) ->
            report.add(
                "failover/" + name + "/step/" + step.name().toLowerCase(Locale.ROOT),
                Load.percentileMillis(all, 0.5),
                "ms",
                Double.NaN,
                "-"));
  }
}
