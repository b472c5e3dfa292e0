package io.nucleusmem.examples.bench;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How long and how often a workload is measured, and what several of them do.
 *
 * @param names only measurements that begin with one of these; none: all
 */
record Rounds(boolean quick, List<String> names) {
  /** Keys that writers go round. */
  static final int KEYS = 1_000;

  private static final double WARM_SECONDS = 0.5;

  /** What is measured: a rate, for some seconds. */
  interface Rate {
    double measure() throws Exception;
  }

  int count() {
    return quick ? 3 : 5;
  }

  double seconds() {
    return quick ? 1.5 : 4;
  }

  /** True if a measurement, or one whose name begins so, was asked for. */
  boolean wants(String measurement) {
    return names.isEmpty()
        || names.stream()
            .anyMatch(name -> measurement.startsWith(name) || name.startsWith(measurement));
  }

  /** True if any of a family was asked for. */
  boolean wantsAny(String... measurements) {
    return List.of(measurements).stream().anyMatch(this::wants);
  }

  /** Operations per second of blocking callers. */
  double closed(int callers, Load.Op op) throws Exception {
    return Load.closed(callers, WARM_SECONDS, seconds(), op);
  }

  /**
   * Medians of ours and of the baseline, measured in turns; a first turn of each is for the
   * compiler.
   */
  double[] compare(Rate ours, Rate baseline) throws Exception {
    List<Double> mine = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    baseline.measure();
    ours.measure();
    for (int i = 0; i < count(); i++) {
      theirs.add(baseline.measure());
      mine.add(ours.measure());
    }
    return new double[] {Load.median(mine), Load.median(theirs)};
  }

  static byte[] value(int size) {
    byte[] bytes = new byte[size];
    ThreadLocalRandom.current().nextBytes(bytes);
    return bytes;
  }

  static CompletableFuture<?> put(MountedSpace space, AtomicLong n, int size) {
    EntryKey key = EntryKey.of("k/" + n.incrementAndGet() % KEYS);
    return space.put(key, Content.bytes(value(size))).toCompletableFuture();
  }

  static CompletableFuture<Long> barePut(Baseline baseline, AtomicLong n, int size) {
    return baseline.put("k/" + n.incrementAndGet() % KEYS, value(size));
  }

  static int random(int bound) {
    return ThreadLocalRandom.current().nextInt(bound);
  }

  static void require(Object found) {
    if (found == null || found.equals(Optional.empty())) {
      throw new IllegalStateException("a row is missing");
    }
  }
}
