package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The versions in log rows that are not in the index yet. Empty on a store of scope {@code ALL},
 * where versions ride in the commit; elsewhere the log row is the commit and carries them, and a
 * read takes the tail over the index.
 */
final class Tail {
  static final Tail EMPTY = new Tail();

  private final NavigableMap<Bytes, Version> versions =
      new TreeMap<>(); // by the key they would have as rows

  /** Adds what a commit changed. */
  void add(LedgerId id, LogRow row) {
    for (int i = 0; i < row.records().size(); i++) {
      LogRecord record = row.records().get(i);
      for (Change change : record.changes()) {
        if (change instanceof Change.OfEntry entry) {
          long revision = row.first() + i;
          versions.put(
              LedgerKeys.version(id, entry.entry(), revision),
              Version.of(entry, revision, row.timestamp(), record.author()));
        }
      }
    }
  }

  /** Forgets what a commit changed. */
  void remove(LedgerId id, LogRow row) {
    for (int i = 0; i < row.records().size(); i++) {
      for (Change change : row.records().get(i).changes()) {
        if (change instanceof Change.OfEntry entry) {
          versions.remove(LedgerKeys.version(id, entry.entry(), row.first() + i));
        }
      }
    }
  }

  /** The newest version in a range that begins where it would stand. */
  Optional<Version> first(KeyRange range) {
    var entry = versions.ceilingEntry(range.from());
    return entry == null || !range.contains(entry.getKey())
        ? Optional.empty()
        : Optional.of(entry.getValue());
  }

  /** A page of one entry's versions with the tail taken over it, newest first. */
  List<Version> over(Page page, KeyRange asked) {
    TreeMap<Bytes, Version> merged = new TreeMap<>(within(asked));
    page.rows().forEach(row -> merged.put(row.key(), LedgerReader.decode(row)));
    return new ArrayList<>(merged.values());
  }

  /** An index page with the tail taken over it. */
  VersionPage over(Page page, KeyRange asked, long revision, int limit, Direction direction) {
    if (versions.isEmpty()) {
      return new VersionPage(page.rows().stream().map(LedgerReader::decode).toList(), page.rest());
    }
    TreeMap<Bytes, Version> merged = new TreeMap<>();
    page.rows().forEach(row -> merged.put(prefix(row.key()), LedgerReader.decode(row)));
    KeyRange covered =
        page.rest()
            .map(
                rest ->
                    direction == Direction.ASCENDING
                        ? asked.endingAt(rest.from())
                        : asked.startingAt(rest.to()))
            .orElse(asked);
    Bytes done = null;
    for (var each : within(covered).entrySet()) {
      Bytes prefix = prefix(each.getKey());
      if (each.getValue().revision() <= revision && !prefix.equals(done)) {
        // the tail is newer than the index was when it was read; meanwhile the index may be
        merged.merge(
            prefix, each.getValue(), (row, late) -> row.revision() > late.revision() ? row : late);
        done = prefix;
      }
    }
    var ordered = direction == Direction.ASCENDING ? merged : merged.descendingMap();
    if (ordered.size() <= limit) {
      return new VersionPage(List.copyOf(ordered.values()), page.rest());
    }
    Bytes last = List.copyOf(ordered.keySet()).get(limit - 1);
    KeyRange rest =
        direction == Direction.ASCENDING
            ? asked.startingAt(KeyRange.after(last))
            : asked.endingAt(last);
    return new VersionPage(List.copyOf(ordered.values()).subList(0, limit), Optional.of(rest));
  }

  private NavigableMap<Bytes, Version> within(KeyRange range) {
    if (range.isEmpty()) {
      return new TreeMap<>();
    }
    return range.to().isEmpty()
        ? versions.tailMap(range.from(), true)
        : versions.subMap(range.from(), true, range.to(), false);
  }

  private static Bytes prefix(Bytes key) {
    return key.slice(0, key.length() - KvStore.VERSION_BYTES);
  }
}
