package io.nucleusmem.examples.bench;

import static io.nucleusmem.examples.bench.BenchNode.await;

import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.WriteOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Many callers on one key, prefix or queue. */
final class Contention {
  private static final int CALLERS = 16;
  private static final int BATCH = 250;
  private static final int TASKS = 40_000; // more than can be claimed in a round
  private static final double CLAIM_SECONDS = 1;
  private static final Duration LEASE = Duration.ofMinutes(10);

  private final Rounds rounds;
  private int queues;
  private volatile int twice;

  Contention(Rounds rounds) {
    this.rounds = rounds;
  }

  void run(BenchNode node, Baseline baseline, Report into) throws Exception {
    MountedSpace space = node.space();
    AtomicLong n = new AtomicLong();
    if (rounds.wants("cas/16")) {
      compareAndSet(space, baseline, into);
    }
    EntryKey sum = EntryKey.of("sum");
    besideWrites("add/16", space, caller -> await(space.add(sum, 1)), into);
    EntryKey log = EntryKey.of("log/");
    besideWrites(
        "append/16",
        space,
        caller -> await(space.append(log, Content.bytes(Rounds.value(256)))),
        into);
    if (rounds.wants("claim/16")) {
      MountedSpace tasks = node.space();
      double[] claim =
          rounds.compare(
              () -> claims(tasks),
              () -> rounds.closed(CALLERS, caller -> Rounds.put(space, n, 256).join()));
      into.add("claim/16", claim[0], "1/s", claim[1], "0.70 of write/16/256");
      into.add("claim/16/twice", twice, "", Double.NaN, "0");
    }
  }

  /** An operation that the owner decides, beside plain writes. */
  private void besideWrites(String name, MountedSpace space, Load.Op op, Report into)
      throws Exception {
    if (rounds.wants(name)) {
      AtomicLong n = new AtomicLong();
      double[] rates =
          rounds.compare(
              () -> rounds.closed(CALLERS, op),
              () -> rounds.closed(CALLERS, caller -> Rounds.put(space, n, 256).join()));
      into.add(name, rates[0], "1/s", rates[1], "0.70 of write/16/256");
    }
  }

  /** Read, then compare and set, one key; a flush of the bare store bounds it. */
  private void compareAndSet(MountedSpace space, Baseline baseline, Report into) throws Exception {
    EntryKey counter = EntryKey.of("counter");
    await(space.put(counter, Content.text("0")));
    AtomicLong tries = new AtomicLong();
    AtomicLong successes = new AtomicLong();
    AtomicLong n = new AtomicLong();
    double[] cas =
        rounds.compare(
            () -> rounds.closed(CALLERS, caller -> increment(space, counter, tries, successes)),
            () -> rounds.closed(1, caller -> Rounds.barePut(baseline, n, 256).join()));
    into.add("cas/16", cas[0], "1/s", cas[1], "0.80 of one success per flush");
    double perSuccess = (double) tries.get() / successes.get();
    into.add("cas/16/tries-per-success", perSuccess, "", Double.NaN, "at most 16");
    long lost = successes.get() - Long.parseLong(await(space.get(counter)).orElseThrow().text());
    into.add("cas/16/lost", lost, "", Double.NaN, "0");
  }

  private static void increment(
      MountedSpace space, EntryKey key, AtomicLong tries, AtomicLong successes) {
    Entry now = await(space.get(key)).orElseThrow();
    while (true) {
      tries.incrementAndGet();
      try {
        Content next = Content.text(Long.toString(Long.parseLong(now.text()) + 1));
        await(
            space.write(
                new Operation.Put(
                    key, next, OptionalLong.of(now.revision()), Operation.ANY, false)));
        successes.incrementAndGet();
        return;
      } catch (java.util.concurrent.CompletionException e) {
        if (!(e.getCause() instanceof RevisionMismatchException refused)) {
          throw e;
        }
        now = refused.current().orElseThrow(); // the refusal tells what is there
      }
    }
  }

  /** Workers that empty a queue; whoever gets a task that another has breaks the promise. */
  private double claims(MountedSpace space) throws Exception {
    EntryKey queue = EntryKey.task("q%d/".formatted(queues++));
    List<CompletableFuture<?>> filled = new ArrayList<>();
    for (int from = 0; from < TASKS; from += BATCH) {
      List<Operation> batch = new ArrayList<>();
      for (int k = from; k < from + BATCH; k++) {
        EntryKey task = EntryKey.task(queue.name() + "%06d".formatted(k));
        batch.add(new Operation.Put(task, Content.text("task")));
      }
      filled.add(space.write(batch, WriteOptions.DEFAULT).toCompletableFuture());
    }
    filled.forEach(CompletableFuture::join);
    Set<String> claimed = ConcurrentHashMap.newKeySet();
    await(space.claim(queue, "first", LEASE, 1)); // fills the heap of what can be claimed
    return Load.closed(
        CALLERS,
        0,
        CLAIM_SECONDS,
        caller -> {
          for (Claim claim : await(space.claim(queue, "w" + caller, LEASE, 1))) {
            if (!claimed.add(claim.entry().key().name())) {
              twice++;
            }
          }
        });
  }
}
