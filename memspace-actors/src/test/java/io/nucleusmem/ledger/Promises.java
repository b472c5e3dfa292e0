package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What clients have heard of one ledger, held against what is stored. Each method fails with {@link
 * AssertionError} on a broken promise.
 *
 * <p>The log is the witness: it fixes one order, so whether a history is linearizable needs no
 * search. A write must stand there where it was acknowledged, behind all that was known when it was
 * sent; a read or a refusal must be true of some prefix between what was known when it was sent and
 * what is stored when it is answered.
 */
final class Promises {
  private final LedgerId id;
  private final boolean bodiesInLog;
  private final Map<String, Attempt> attempts; // by tag
  private final TreeMap<Long, LogRow> chain = new TreeMap<>(); // every row ever seen, by first
  private final Map<Long, Bytes> encoded = new HashMap<>();
  private final TreeMap<EntryRef, TreeMap<Long, Version>> versions =
      new TreeMap<>(
          (a, b) ->
              a.region() != b.region()
                  ? Byte.compareUnsigned(a.region(), b.region())
                  : a.key().compareTo(b.key()));
  private final TreeMap<StateKey, Bytes> state = new TreeMap<>();
  private final Map<String, Long> revisionOfTag = new HashMap<>();
  private final Map<RequestStamp, Long> revisionOfRequest = new HashMap<>();
  private final Map<Integer, Long> firstAnswer = new HashMap<>(); // request -> revision
  private final Map<String, Long> arrivals = new HashMap<>(); // owner and sender -> last arrival
  private final Map<Long, Long> instants = new TreeMap<>(); // timestamp -> revision said
  private long newest = -1;
  private long newestTime = -1;
  private long floor;
  private long oldestFirst;
  private long known; // newest revision that anybody was told of

  Promises(LedgerId id, StoreScope scope, Map<String, Attempt> attempts) {
    this.id = id;
    this.bodiesInLog = scope == StoreScope.REGION;
    this.attempts = attempts;
  }

  long known() {
    return known;
  }

  long newest() {
    return newest;
  }

  long floor() {
    return floor;
  }

  NavigableMap<Long, LogRow> chain() {
    return chain;
  }

  // ---- what is stored: G2, G3, G4 ----

  /** Takes note of new log rows; they must continue the chain and follow from what is before. */
  void look(KvStore store) {
    long expectedFirst = -1;
    for (Row each : logRows(store)) {
      long first = LedgerKeys.firstOf(each.key());
      Bytes before = encoded.get(first);
      if (before == null) {
        land(store, LogRow.decode(first, each.value()));
        encoded.put(first, each.value());
      } else {
        require(before.equals(each.value()), "row [%d] was written twice", first);
      }
      require(
          expectedFirst < 0 || first == expectedFirst,
          "revision [%d] is missing or was given twice; the next row is [%d]",
          expectedFirst,
          first);
      if (expectedFirst < 0) {
        require(
            first >= oldestFirst, "row [%d] came back; the oldest was [%d]", first, oldestFirst);
        oldestFirst = first;
      }
      expectedFirst = chain.get(first).last() + 1;
    }
    require(
        expectedFirst == newest + 1,
        "the newest row ends at [%d]; [%d] was there",
        expectedFirst - 1,
        newest);
    require(
        oldestFirst == 0 || oldestFirst <= floor,
        "the log begins at [%d], above the floor [%d]",
        oldestFirst,
        floor);
  }

  private List<Row> logRows(KvStore store) {
    Page page = now(store.scan(LedgerKeys.log(id), KvStore.SCAN_ROWS_MAX, Direction.ASCENDING));
    return page.rows();
  }

  private void land(KvStore store, LogRow row) {
    require(
        row.first() == newest + 1,
        "row [%d] of owner [%d] follows revision [%d]: a revision is missing or given twice",
        row.first(),
        row.owner(),
        newest);
    require(row.timestamp() > newestTime, "time goes back at revision [%d]", row.first());
    require(!row.records().isEmpty(), "row [%d] covers no revision", row.first());
    for (int i = 0; i < row.records().size(); i++) {
      applyRecord(store, row, row.first() + i, row.records().get(i));
    }
    chain.put(row.first(), row);
    newest = row.last();
    newestTime = row.timestamp();
    for (Map.Entry<Long, Long> said : instants.entrySet()) {
      require(
          said.getKey() < row.timestamp(),
          "instant [%d] was said to be revision [%d]; [%d] came later, of time [%d]",
          said.getKey(),
          said.getValue(),
          row.first(),
          row.timestamp());
    }
  }

  private void applyRecord(KvStore store, LogRow row, long revision, LogRecord record) {
    for (Change change : record.changes()) {
      if (change instanceof Change.OfState each) {
        applyState(each, revision);
      } else if (change instanceof Change.OfEntry entry) {
        Attempt attempt = attempts.get(entry.to());
        require(attempt != null, "revision [%d] was written by nobody", revision);
        Version version = content(store, row, revision, record, entry);
        check(attempt, revision, version);
        versions.computeIfAbsent(entry.entry(), e -> new TreeMap<>()).put(revision, version);
        applied(attempt, row, revision);
      }
    }
    if (record.request() != null) {
      Long before = revisionOfRequest.putIfAbsent(record.request(), revision);
      require(
          before == null,
          "request [%s] was applied at [%s] and at [%d]",
          record.request(),
          before,
          revision);
    }
  }

  private void applyState(Change.OfState change, long revision) {
    if (change.key().equals(StateKey.FLOOR)) {
      floor = Floor.decode(change.value());
    } else {
      long before = Optional.ofNullable(state.get(change.key())).map(Attempt::number).orElse(0L);
      require(
          Attempt.number(change.value()) == before + 1,
          "revision [%d] makes state [%s] of [%d]: an update is lost",
          revision,
          change.value().utf8(),
          before);
    }
    state.put(change.key(), change.value());
  }

  private Version content(
      KvStore store, LogRow row, long revision, LogRecord record, Change.OfEntry entry) {
    Version fromLog = Version.of(entry, revision, row.timestamp(), record.author());
    if (bodiesInLog) {
      return fromLog;
    }
    Bytes stored = now(store.get(LedgerKeys.version(id, entry.entry(), revision))).orElse(null);
    require(stored != null, "revision [%d] has a log row but no version", revision);
    Version version = Version.decode(entry.entry(), revision, stored);
    require(
        version.deleted() == entry.deleted()
            && Objects.equals(version.to(), entry.to())
            && version.timestamp() == row.timestamp(),
        "the version of revision [%d] is [%s], in the log [%s]",
        revision,
        version,
        entry);
    return version;
  }

  /** What a write demands must have been true where it stands. */
  private void check(Attempt attempt, long revision, Version made) {
    Optional<Version> before = at(attempt.key, revision - 1);
    long beforeRevision = before.map(Version::revision).orElse(0L);
    // a compacted deletion and no version at all are one
    boolean compacted = before.isPresent() && before.get().deleted() && beforeRevision <= floor;
    switch (attempt.kind) {
      case PUT_IF ->
          require(
              beforeRevision == attempt.expected || compacted && attempt.expected == 0,
              "%s replaced revision [%d]: an update is lost",
              attempt,
              beforeRevision);
      case ADD ->
          require(
              Attempt.number(made.body()) == Attempt.number(before) + 1,
              "%s made [%s] of [%s]: an update is lost",
              attempt,
              made.body().utf8(),
              before);
      case DELETE ->
          require(Attempt.isThere(before), "%s deleted what was not there: [%s]", attempt, before);
      case APPEND ->
          require(
              made.entry().equals(Attempt.appended(revision)),
              "%s at [%d] has another revision's key",
              attempt,
              revision);
      default ->
          require(attempt.kind != Attempt.Kind.READ, "%s wrote revision [%d]", attempt, revision);
    }
  }

  private void applied(Attempt attempt, LogRow row, long revision) {
    Long twice = revisionOfTag.putIfAbsent(attempt.tag, revision);
    require(
        twice == null || twice == revision,
        "%s was applied at [%s] and at [%d]",
        attempt,
        twice,
        revision);
    require(
        !attempt.notDone, "%s was reported as not done and is stored at [%d]", attempt, revision);
    if (twice == null) {
      Long before = arrivals.put(row.owner() + "/" + attempt.client, attempt.arrival);
      require(
          before == null || before < attempt.arrival,
          "%s overtook another command of its sender at revision [%d]",
          attempt,
          revision);
    }
  }

  // ---- what clients hear: G1, G4, G8, G12 ----

  /** Stamps an attempt with what is known when it is sent. */
  void invoked(Attempt attempt, long newestTimeAnywhere) {
    attempt.knownRevision = known;
    attempt.knownTime = newestTimeAnywhere;
  }

  /** Judges an answer; returns the time that is known from it. */
  long answered(Attempt attempt, Outcome outcome, RuntimeException refusal) {
    attempt.answers++;
    require(attempt.answers == 1, "%s was answered [%d] times", attempt, attempt.answers);
    if (outcome != null && outcome.replayed()) {
      return replayed(attempt, outcome);
    }
    if (outcome != null && attempt.kind != Attempt.Kind.READ) {
      return written(attempt, outcome);
    }
    if (outcome != null) {
      require(
          outcome.revision() >= attempt.knownRevision && outcome.revision() <= newest,
          "%s was answered as of [%d]; [%d] was known when it was sent, [%d] is stored",
          attempt,
          outcome.revision(),
          attempt.knownRevision,
          newest);
      requireSame(attempt, "answered", attempt.seen, outcome.revision());
      known = Math.max(known, outcome.revision());
    } else if (refusal instanceof LedgerException failure) {
      failed(attempt, failure.reason());
    } else {
      notDone(attempt);
      known = Math.max(known, somePrefix(attempt, attempt.key, attempt.seen));
    }
    return 0;
  }

  private long written(Attempt attempt, Outcome outcome) {
    long revision = outcome.revision();
    require(
        Objects.equals(revisionOfTag.get(attempt.tag), revision),
        "%s was acknowledged at [%d]; it is stored at [%s]",
        attempt,
        revision,
        revisionOfTag.get(attempt.tag));
    require(
        revision > attempt.knownRevision,
        "%s got [%d]; [%d] was known when it was sent",
        attempt,
        revision,
        attempt.knownRevision);
    long time = rowOf(revision).timestamp();
    require(
        time == outcome.timestamp(),
        "%s was told time [%d], not [%d]",
        attempt,
        outcome.timestamp(),
        time);
    require(
        time > attempt.knownTime,
        "%s has time [%d], not later than [%d], which was acknowledged before it was sent",
        attempt,
        time,
        attempt.knownTime);
    firstAnswer.putIfAbsent(attempt.request, revision);
    require(
        firstAnswer.get(attempt.request) == revision,
        "%s was acknowledged at [%d] and at [%d]",
        attempt,
        firstAnswer.get(attempt.request),
        revision);
    known = Math.max(known, revision);
    return time;
  }

  private long replayed(Attempt attempt, Outcome outcome) {
    long revision = outcome.revision();
    require(
        Objects.equals(revisionOfRequest.get(attempt.stamp), revision),
        "%s was replayed from [%d]; it is stored at [%s]",
        attempt,
        revision,
        revisionOfRequest.get(attempt.stamp));
    LogRow row = rowOf(revision);
    require(outcome.timestamp() == row.timestamp(), "%s was replayed with another time", attempt);
    Change.OfEntry said = lastEntry(outcome.record());
    Change.OfEntry stored = lastEntry(row.record(revision));
    require(
        said.to().equals(stored.to()) && said.entry().equals(stored.entry()),
        "%s was replayed as [%s]; stored is [%s]",
        attempt,
        said,
        stored);
    if (said.body() != null) { // else it was compacted
      require(
          said.body().equals(versions.get(said.entry()).get(revision).body()),
          "%s was replayed with body [%s]",
          attempt,
          said.body());
    }
    Long first = firstAnswer.putIfAbsent(attempt.request, revision);
    require(first == null || first == revision, "%s was answered [%s] before", attempt, first);
    known = Math.max(known, revision);
    return row.timestamp();
  }

  private static Change.OfEntry lastEntry(LogRecord record) {
    return (Change.OfEntry) record.changes().get(record.changes().size() - 1);
  }

  private void failed(Attempt attempt, LedgerException.Reason reason) {
    switch (reason) {
      case UNKNOWN -> {}
      case BUSY, ENDED, REQUEST_TOO_OLD -> notDone(attempt);
      default -> throw new AssertionError("%s failed with [%s]".formatted(attempt, reason));
    }
  }

  private void notDone(Attempt attempt) {
    attempt.notDone = true;
    require(
        !revisionOfTag.containsKey(attempt.tag),
        "%s was reported as not done; it is stored at [%s]",
        attempt,
        revisionOfTag.get(attempt.tag));
  }

  /** The first prefix, not older than what was known, of which an observation is true. */
  private long somePrefix(Attempt attempt, EntryRef key, Optional<Version> seen) {
    for (long prefix = attempt.knownRevision; prefix <= newest; prefix++) {
      if (same(seen, at(key, prefix))) {
        return prefix;
      }
    }
    throw new AssertionError(
        "%s was told of [%s], which was never so from [%d], known when it was sent, to [%d]"
            .formatted(attempt, seen, attempt.knownRevision, newest));
  }

  private void requireSame(Attempt attempt, String what, Optional<Version> seen, long revision) {
    require(
        same(seen, at(attempt.key, revision)),
        "%s was %s [%s] as of [%d]; stored is [%s]",
        attempt,
        what,
        seen,
        revision,
        at(attempt.key, revision));
  }

  private static boolean same(Optional<Version> a, Optional<Version> b) {
    // a compacted deletion and no version at all are one
    return a.equals(b) || !Attempt.isThere(a) && !Attempt.isThere(b);
  }

  // ---- the past: G7 ----

  /** What an owner says of an instant is so and stays so. */
  void instant(long timestamp, long revision) {
    long truth = revisionAt(timestamp);
    require(
        revision == truth || revision < floor && truth < floor,
        "instant [%s] was said to be revision [%d]; it is [%d], the floor [%d]",
        timestamp,
        revision,
        truth,
        floor);
    instants.putIfAbsent(timestamp, revision);
  }

  private long revisionAt(long timestamp) {
    long truth = -1;
    for (LogRow row : chain.values()) {
      if (row.timestamp() <= timestamp) {
        truth = row.last();
      }
    }
    return truth;
  }

  /** The newest version of a key at a revision. */
  Optional<Version> at(EntryRef key, long revision) {
    TreeMap<Long, Version> all = versions.get(key);
    return all == null
        ? Optional.empty()
        : Optional.ofNullable(all.floorEntry(revision)).map(Map.Entry::getValue);
  }

  /** A read of one key at a revision. */
  void versionRead(EntryRef key, long revision, Optional<Version> found) {
    require(
        same(found, at(key, revision)),
        "key [%s] at [%d] reads [%s]; stored is [%s]",
        key.key().utf8(),
        revision,
        found,
        at(key, revision));
  }

  /** A read of the newest version that began when some revision was known. */
  void latestRead(EntryRef key, long knownRevision, Optional<Version> found) {
    for (long prefix = knownRevision; prefix <= newest; prefix++) {
      if (same(found, at(key, prefix))) {
        return;
      }
    }
    throw new AssertionError(
        "the newest of [%s] reads [%s]; known was [%d]"
            .formatted(key.key().utf8(), found, knownRevision));
  }

  /** A scan of all keys at a revision; deletions do not count. */
  void scanned(long revision, Direction direction, List<Version> found) {
    List<Version> truth = new ArrayList<>();
    var all = direction == Direction.ASCENDING ? versions : versions.descendingMap();
    all.keySet().forEach(key -> at(key, revision).ifPresent(truth::add));
    truth.removeIf(Version::deleted);
    List<Version> there = found.stream().filter(version -> !version.deleted()).toList();
    require(
        there.equals(truth),
        "a scan at [%d] %s shows [%s]; stored is [%s]",
        revision,
        direction,
        there,
        truth);
  }

  /** The history of a key at and below a revision, read when the floor was known. */
  void history(EntryRef key, long revision, long floorThen, List<Version> found) {
    if (floorThen > revision) {
      return; // compacted: who reads is told
    }
    TreeMap<Long, Version> all = versions.getOrDefault(key, new TreeMap<>());
    List<Version> truth =
        new ArrayList<>(
            all.headMap(revision, true).tailMap(floorThen, true).descendingMap().values());
    List<Version> there = found.stream().filter(v -> v.revision() >= floorThen).toList();
    truth.removeIf(v -> v.revision() == floorThen && v.deleted()); // compacted with what it deletes
    there = there.stream().filter(v -> v.revision() != floorThen || !v.deleted()).toList();
    require(
        there.equals(truth),
        "the history of [%s] to [%d] is [%s]; stored is [%s]",
        key.key().utf8(),
        revision,
        there,
        truth);
  }

  // ---- the end ----

  /** What can only be judged when all is quiet: everything that was promised can still be read. */
  void atEnd(KvStore store) {
    LedgerReader reader = new LedgerReader(store, id);
    require(now(reader.state()).equals(state), "the state reads otherwise");
    require(now(reader.floor()) == floor, "the floor reads otherwise");
    for (Map.Entry<Long, Long> said : instants.entrySet()) {
      instant(said.getKey(), now(reader.revisionAt(said.getKey())));
    }
    for (LogRow row : chain.values()) {
      instant(row.timestamp(), now(reader.revisionAt(row.timestamp())));
      instant(row.timestamp() - 1, now(reader.revisionAt(row.timestamp() - 1)));
    }
    for (long revision = floor; revision <= newest; revision += 1 + newest / 8) {
      for (EntryRef key : versions.keySet()) {
        versionRead(key, revision, now(reader.version(key, revision)));
      }
      for (Direction direction : Direction.values()) {
        scanned(revision, direction, scanAll(reader, revision, 2, direction));
      }
    }
    for (EntryRef key : versions.keySet()) {
      history(key, newest, floor, historyOf(reader, key, newest, 2));
    }
  }

  private List<Version> scanAll(
      LedgerReader reader, long revision, int limit, Direction direction) {
    List<Version> all = new ArrayList<>();
    Optional<KeyRange> rest = Optional.of(LedgerKeys.versions(id, (byte) 1, Bytes.EMPTY));
    while (rest.isPresent()) {
      VersionPage page = now(reader.scan(rest.get(), revision, limit, direction));
      require(page.versions().size() <= limit, "a page holds more than [%d]", limit);
      all.addAll(page.versions());
      rest = page.rest();
    }
    return all;
  }

  private static List<Version> historyOf(
      LedgerReader reader, EntryRef key, long revision, int limit) {
    List<Version> all = new ArrayList<>();
    long next = revision;
    while (true) {
      VersionPage page = now(reader.history(key, next, limit));
      all.addAll(page.versions());
      if (page.rest().isEmpty()) {
        return all;
      }
      next = all.get(all.size() - 1).revision() - 1;
    }
  }

  /** The revision and time of an instant, for people. */
  static String show(long timestamp) {
    return Timestamps.instant(timestamp) + "+" + Timestamps.counter(timestamp);
  }

  private LogRow rowOf(long revision) {
    return chain.floorEntry(revision).getValue();
  }

  private static <T> T now(java.util.concurrent.CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  static void require(boolean holds, String message, Object... values) {
    if (!holds) {
      throw new AssertionError(message.formatted(values));
    }
  }
}
