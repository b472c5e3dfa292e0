package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * What clients have heard, held against what is stored. Every method fails with {@link
 * AssertionError} on a broken promise.
 */
final class Promises {
  /** One attempt of a client. */
  static final class Call {
    final String author;
    final EntryRef key;
    final long expected;
    final RequestStamp stamp;
    final long newestKnown; // of the key, acknowledged to or read by anybody, when the call began
    final long timeBefore; // newest timestamp acknowledged to anybody when the call began

    Call(
        String author,
        EntryRef key,
        long expected,
        RequestStamp stamp,
        long newestKnown,
        long timeBefore) {
      this.author = author;
      this.key = key;
      this.expected = expected;
      this.stamp = stamp;
      this.newestKnown = newestKnown;
      this.timeBefore = timeBefore;
    }
  }

  private record Acked(Call call, long revision, long timestamp) {}

  private final LedgerId id;
  private final Map<Long, LogRow> chain =
      new TreeMap<>(); // every row ever seen, by its first revision
  private final Map<EntryRef, Long> newestKnown = new HashMap<>();
  private final Map<Long, Acked> acked = new TreeMap<>();
  private final Map<String, Long> revisionOfRequest = new HashMap<>();
  private final Set<String> notDone = new HashSet<>();
  private final List<long[]> instants = new ArrayList<>();
  private long newestTime;

  Promises(LedgerId id) {
    this.id = id;
  }

  Call invoke(String author, EntryRef key, long expected, RequestStamp stamp) {
    notDone.remove(author); // sent again: it may be done now
    return new Call(author, key, expected, stamp, newestKnown.getOrDefault(key, 0L), newestTime);
  }

  /** A revision that a compare-and-set may well name. */
  long guessRevision(EntryRef key, Random random) {
    long known = newestKnown.getOrDefault(key, 0L);
    return random.nextInt(4) == 0 ? random.nextInt((int) known + 2) : known;
  }

  /** G1, G4: an acknowledged write is stored, at its revision, once. */
  void acknowledged(Call call, Outcome outcome, MemoryStore store) {
    long revision = outcome.revision();
    require(
        !notDone.contains(call.author), "[%s] was reported as not done, then as done", call.author);
    checkStore(store);
    LogRow row = rowOf(revision);
    require(
        row != null, "[%s] was acknowledged at [%d], which is not stored", call.author, revision);
    require(
        row.record(revision).author().equals(call.author),
        "revision [%d] was acknowledged to [%s] and belongs to [%s]",
        revision,
        call.author,
        row.record(revision).author());
    require(
        row.timestamp() > call.timeBefore,
        "[%s] has time [%d], not later than [%d], which was acknowledged before it was sent",
        call.author,
        row.timestamp(),
        call.timeBefore);
    Acked before = acked.putIfAbsent(revision, new Acked(call, revision, outcome.timestamp()));
    require(
        before == null || before.call().author.equals(call.author),
        "revision [%d] was given to [%s] and [%s]",
        revision,
        before == null ? "" : before.call().author,
        call.author);
    if (call.stamp != null) {
      Long first = revisionOfRequest.putIfAbsent(call.author, revision);
      require(
          first == null || first == revision,
          "request of [%s] was applied at [%s] and [%d]",
          call.author,
          first,
          revision);
    }
    newestTime = Math.max(newestTime, row.timestamp());
    newestKnown.merge(call.key, revision, Math::max);
  }

  /**
   * G12: a read, or the refusal of a condition, shows everything acknowledged or read before it
   * began, and nothing unstored.
   */
  void read(Call call, long revision, MemoryStore store) {
    require(
        revision >= call.newestKnown,
        "[%s] was told that [%s] is at [%d]; [%d] was known before it asked",
        call.author,
        call.key,
        revision,
        call.newestKnown);
    if (revision > 0) {
      checkStore(store);
      LogRow row = rowOf(revision);
      require(
          row != null,
          "[%s] was told of revision [%d], which is not stored",
          call.author,
          revision);
      newestKnown.merge(call.key, revision, Math::max);
    }
  }

  /** A failure; unknown ones may be done or not, the others must never be. */
  void failed(Call call, boolean unknown) {
    if (!unknown && !revisionOfRequest.containsKey(call.author)) {
      notDone.add(call.author);
    }
  }

  /** Whoever waited has died with the rest; what was under way is neither done nor not done. */
  void crashed() {}

  void instant(long asked, long revision) {
    instants.add(new long[] {asked, revision});
  }

  /** G2, G3: the rows form one chain without gaps, in which time rises; no row ever changes. */
  void checkStore(MemoryStore store) {
    KeyRange range = LedgerKeys.log(id);
    int rows = store.rows().subMap(range.from(), true, range.to(), false).size();
    LogRow before = null;
    for (Map.Entry<Bytes, Bytes> each :
        store.rows().subMap(range.from(), true, range.to(), false).entrySet()) {
      LogRow row = LogRow.decode(LedgerKeys.firstOf(each.getKey()), each.getValue());
      LogRow known = chain.putIfAbsent(row.first(), row);
      require(known == null || known.sameBatch(row), "row [%d] was written twice", row.first());
      if (before != null) {
        require(
            row.first() == before.last() + 1,
            "revisions [%d..%d] are followed by [%d]",
            before.first(),
            before.last(),
            row.first());
        require(
            row.timestamp() > before.timestamp(), "time goes back at revision [%d]", row.first());
      }
      before = row;
    }
    require(rows > 0, "the newest log row was removed");
    require(store.violations().isEmpty(), "%s", store.violations());
  }

  private LogRow rowOf(long revision) {
    var entry = ((TreeMap<Long, LogRow>) chain).floorEntry(revision);
    return entry == null || entry.getValue().last() < revision ? null : entry.getValue();
  }

  /** What can only be judged when everything is known. */
  void checkEnd(MemoryStore store) {
    checkStore(store);
    Map<String, Integer> times = new HashMap<>();
    Map<EntryRef, Long> newest = new HashMap<>();
    long expectedFirst = 0;
    for (LogRow row : chain.values()) {
      require(
          row.first() == expectedFirst,
          "revision [%d] is missing or was given twice",
          expectedFirst);
      expectedFirst = row.last() + 1;
      for (int i = 0; i < row.records().size(); i++) {
        LogRecord record = row.records().get(i);
        if (!record.author().startsWith("op-")) {
          continue;
        }
        long revision = row.first() + i;
        times.merge(record.author(), 1, Integer::sum);
        require(
            !notDone.contains(record.author()),
            "[%s] was reported as not done and is stored at [%d]",
            record.author(),
            revision);
        EntryRef key = ((Change.OfEntry) record.changes().get(0)).entry();
        Acked ack = acked.get(revision);
        if (ack != null && ack.call().expected >= 0) {
          long before = newest.getOrDefault(key, 0L);
          require(
              before == ack.call().expected,
              "[%s] replaced revision [%d], not [%d] as it demanded: an update is lost",
              record.author(),
              before,
              ack.call().expected);
        }
        newest.put(key, revision);
      }
    }
    times.forEach(
        (author, count) -> require(count == 1, "[%s] was applied [%d] times", author, count));
    checkInstants();
    checkVersions(store, newest);
  }

  /** G7: what was said of an instant is still so. */
  private void checkInstants() {
    for (long[] each : instants) {
      long truth = -1;
      for (LogRow row : chain.values()) {
        if (row.timestamp() <= each[0]) {
          truth = row.last();
        }
      }
      require(
          truth == each[1],
          "instant [%s] was said to be revision [%d]; it is [%d]",
          Timestamps.instant(each[0]),
          each[1],
          truth);
    }
  }

  /** The newest versions, read as a user reads them, are those of the log. */
  private void checkVersions(MemoryStore store, Map<EntryRef, Long> newest) {
    LedgerReader reader = new LedgerReader(store, id);
    newest.forEach(
        (key, revision) -> {
          long read =
              reader
                  .version(key, Long.MAX_VALUE - 1)
                  .toCompletableFuture()
                  .join()
                  .map(Version::revision)
                  .orElse(0L);
          require(
              read == revision, "[%s] reads as of [%d]; the log says [%d]", key, read, revision);
        });
    int scanned =
        reader
            .scan(
                LedgerKeys.versions(id, (byte) 1, Bytes.EMPTY),
                Long.MAX_VALUE - 1,
                100,
                Direction.ASCENDING)
            .toCompletableFuture()
            .join()
            .versions()
            .size();
    require(scanned == newest.size(), "a scan shows [%d] entries of [%d]", scanned, newest.size());
  }

  private static void require(boolean holds, String message, Object... values) {
    if (!holds) {
      throw new AssertionError(message.formatted(values));
    }
  }
}
