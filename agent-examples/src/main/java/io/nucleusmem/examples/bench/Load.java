package io.nucleusmem.examples.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Closed loops of blocking callers, and what to make of the numbers. */
final class Load {
  /** One operation of one caller. */
  interface Op {
    void run(int caller) throws Exception;
  }

  private Load() {}

  /** Operations per second of n callers, each doing one after the other. */
  static double closed(int callers, double warmSeconds, double seconds, Op op) throws Exception {
    AtomicLong done = new AtomicLong();
    AtomicInteger phase = new AtomicInteger();
    List<Throwable> failures = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      int caller = i;
      Thread thread =
          new Thread(
              () -> {
                try {
                  while (phase.get() < 2) {
                    op.run(caller);
                    if (phase.get() == 1) {
                      done.incrementAndGet();
                    }
                  }
                } catch (Exception e) {
                  synchronized (failures) {
                    failures.add(e);
                  }
                }
              },
              "caller-" + i);
      threads.add(thread);
      thread.start();
    }
    LockSupport.parkNanos((long) (warmSeconds * 1e9));
    phase.set(1);
    long begun = System.nanoTime();
    LockSupport.parkNanos((long) (seconds * 1e9));
    double elapsed = (System.nanoTime() - begun) / 1e9;
    double rate = done.get() / elapsed;
    phase.set(2);
    for (Thread thread : threads) {
      thread.join();
    }
    if (!failures.isEmpty()) {
      throw new IllegalStateException("a caller failed", failures.get(0));
    }
    return rate;
  }

  static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  /** A percentile in milliseconds of samples in nanoseconds. */
  static double percentileMillis(List<Long> nanos, double percentile) {
    long[] sorted = nanos.stream().mapToLong(Long::longValue).toArray();
    Arrays.sort(sorted);
    return sorted.length == 0 ? Double.NaN : sorted[(int) (percentile * (sorted.length - 1))] / 1e6;
  }
}
