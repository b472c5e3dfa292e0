package io.nucleusmem.cluster;

import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes registers by compare-and-set and notes what it was told.
 *
 * <p>Each value is written by one request only, so a value that stands twice, or not at all, shows
 * a request that was applied twice, or lost.
 */
final class Writer implements Runnable {
  /** A write that was acknowledged: at its revision, over the one before. */
  record Acknowledged(String register, String value, long revision, long over) {}

  /** A version that was read. */
  record Read(String register, String value, long revision) {}

  /** What all writers have in common. */
  static final class Shared {
    final ConcurrentLinkedQueue<Acknowledged> acknowledged = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Read> reads = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<String> stale = new ConcurrentLinkedQueue<>();
    final AtomicLong count = new AtomicLong();
    volatile boolean stop;
    // by register: the newest revision that somebody has been told
    private final Map<String, AtomicLong> known = new ConcurrentHashMap<>();

    AtomicLong known(String register) {
      return known.computeIfAbsent(register, each -> new AtomicLong());
    }
  }

  // a restarting node needs some of the processors
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

  private final Client client;
  private final Shared shared;
  private final List<String> registers;
  private final Random random;

  /**
   * A writer.
   *
   * @param registers {@code SPACE/entries/KEY}
   */
  Writer(Client client, Shared shared, List<String> registers, long seed) {
    this.client = client;
    this.shared = shared;
    this.registers = registers;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    while (!shared.stop) {
      String register = registers.get(random.nextInt(registers.size()));
      write(register, read(register));
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private static String path(String register) {
    return "/v1/spaces/" + register;
  }

  /** The newest revision, 0 where there is none; never older than one that was known before. */
  private long read(String register) {
    long before = shared.known(register).get();
    HttpResponse<String> response = client.call("GET", path(register), "");
    long revision =
        response.statusCode() == 404
            ? 0
            : Long.parseLong(response.headers().firstValue("Nucleus-Revision").orElseThrow());
    notOlder("read", register, revision, before);
    if (revision > 0) {
      shared.reads.add(new Read(register, response.body(), revision));
    }
    shared.known(register).accumulateAndGet(revision, Math::max);
    return revision;
  }

  /** What is told later is not older: with revisions, that is all of linearizability. */
  private void notOlder(String call, String register, long told, long known) {
    if (told < known) {
      shared.stale.add(
          "%s of %s: told %d after %d was known".formatted(call, register, told, known));
    }
  }

  private void write(String register, long over) {
    long before = shared.known(register).get();
    String value = UUID.randomUUID().toString();
    HttpResponse<String> response =
        client.call(
            "PUT",
            path(register),
            value,
            "Content-Type",
            "text/plain",
            "Idempotency-Key",
            value,
            over == 0 ? "If-None-Match" : "If-Match",
            over == 0 ? "*" : "\"" + over + "\"");
    if (response.statusCode() == 412) {
      long current = client.json(412, response).path("current_revision").asLong();
      notOlder("refusal", register, current, Math.max(before, over + 1)); // it moved, or no refusal
      shared.known(register).accumulateAndGet(current, Math::max);
      return;
    }
    long revision = client.json(over == 0 ? 201 : 200, response).path("revision").asLong();
    notOlder("write", register, revision, before + 1);
    shared.known(register).accumulateAndGet(revision, Math::max);
    shared.acknowledged.add(new Acknowledged(register, value, revision, over));
    shared.count.incrementAndGet();
  }
}
