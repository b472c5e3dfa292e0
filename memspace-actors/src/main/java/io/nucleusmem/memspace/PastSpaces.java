package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/**
 * The spaces of the catalogue together with those that were deleted since an instant, in one order:
 * by name, the one that has the name now before those that had it. A deleted one is taken out of
 * the catalogue and written here by one commit, so who reads the catalogue first misses none.
 *
 * <pre>
 * h name 00 id(16)    a space that was deleted: when its name was freed
 * </pre>
 */
final class PastSpaces {
  private static final int SPACES_PAGE = 100;
  private static final int DELETED_PAGE = 1_000;
  private static final Comparator<Candidate> ORDER =
      Comparator.comparing(Candidate::name)
          .thenComparing(Candidate::deleted)
          .thenComparing(each -> each.id().toString());

  private final KvStore store;
  private final Catalogue catalogue;

  PastSpaces(KvStore store, Catalogue catalogue) {
    this.store = store;
    this.catalogue = catalogue;
  }

  /** A space that may have been there, and its place in the order. */
  record Candidate(String name, LedgerId id, boolean deleted) {
    String place() {
      return name + (deleted ? "/-" : "/+") + id;
    }

    static Candidate at(String place) {
      int slash = place.indexOf('/'); // no name has one
      if (slash < 0 || slash + 2 > place.length()) {
        throw MemSpaceException.invalid("cursor", place, "the [next] of the page before");
      }
      return new Candidate(
          place.substring(0, slash),
          LedgerId.parse(place.substring(slash + 2)),
          place.charAt(slash + 1) == '-');
    }
  }

  /**
   * Some of them.
   *
   * @param last place up to which all are among them; empty: there are no more
   */
  record Page(List<Candidate> candidates, Optional<Candidate> last) {}

  /**
   * When a name was freed.
   *
   * @param at the store's time, later than the space's last commit
   */
  private record Freed(long at) {}

  /** The row of a space that is being deleted. */
  static Bytes key(String name, LedgerId id) {
    return new BytesWriter(name.length() + 18).raw(ofName(name)).raw(id.bytes()).toBytes();
  }

  private static Bytes ofName(String name) {
    return new BytesWriter(name.length() + 18).u8('h').raw(Bytes.utf8(name)).u8(0).toBytes();
  }

  static Bytes row(long now) {
    return StateJson.encode(new Freed(now));
  }

  private static Candidate deleted(Row row) {
    int idAt = row.key().length() - LedgerId.LENGTH;
    return new Candidate(
        row.key().slice(1, idAt - 1).utf8(),
        new LedgerId(new BytesReader(row.key(), idAt).rest()),
        true);
  }

  /** Those behind a place that may have been there at a time. */
  CompletionStage<Page> page(Optional<Candidate> after, long timestamp) {
    KeyRange all = KeyRange.prefix(Bytes.utf8("h"));
    KeyRange behind =
        after
            .map(
                last ->
                    last.deleted()
                        ? KeyRange.after(key(last.name(), last.id()))
                        : ofName(last.name()))
            .map(all::startingAt)
            .orElse(all);
    return catalogue
        .page(after.map(Candidate::name).orElse(""), SPACES_PAGE)
        .thenCompose(
            there ->
                store
                    .scan(behind, DELETED_PAGE, Direction.ASCENDING)
                    .thenApply(deleted -> page(after, timestamp, there, deleted)));
  }

  private static Page page(
      Optional<Candidate> after,
      long timestamp,
      List<Catalogue.Named> there,
      io.nucleusmem.store.Page deleted) {
    List<Candidate> all = new ArrayList<>();
    there.forEach(each -> all.add(new Candidate(each.name(), each.row().ledger(), false)));
    List<Candidate> limits = new ArrayList<>();
    if (there.size() == SPACES_PAGE) {
      limits.add(all.get(all.size() - 1));
    }
    if (deleted.rest().isPresent()) {
      limits.add(deleted(deleted.rows().get(deleted.rows().size() - 1)));
    }
    Set<LedgerId> known = all.stream().map(Candidate::id).collect(Collectors.toSet());
    after.filter(last -> !last.deleted()).ifPresent(last -> known.add(last.id()));
    for (Row row : deleted.rows()) {
      Candidate each = deleted(row);
      if (StateJson.decode(row.value(), Freed.class).at() > timestamp && known.add(each.id())) {
        all.add(each);
      }
    }
    all.sort(ORDER);
    Optional<Candidate> last = limits.stream().min(ORDER);
    List<Candidate> complete =
        all.stream()
            .filter(each -> last.isEmpty() || ORDER.compare(each, last.get()) <= 0)
            .toList();
    return complete.size() <= SPACES_PAGE
        ? new Page(complete, last)
        : new Page(complete.subList(0, SPACES_PAGE), Optional.of(complete.get(SPACES_PAGE - 1)));
  }

  /** Those that have or had a name and may have been there at a time. */
  CompletionStage<List<Candidate>> named(String name, long timestamp) {
    return catalogue
        .find(name)
        .thenCompose(
            there -> {
              List<Candidate> all = new ArrayList<>();
              there.ifPresent(row -> all.add(new Candidate(name, row.ledger(), false)));
              return named(KeyRange.prefix(ofName(name)), timestamp, all);
            });
  }

  private CompletionStage<List<Candidate>> named(
      KeyRange range, long timestamp, List<Candidate> into) {
    return store
        .scan(range, DELETED_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (StateJson.decode(row.value(), Freed.class).at() > timestamp) {
                  into.add(deleted(row));
                }
              }
              return page.rest().isPresent()
                  ? named(page.rest().get(), timestamp, into)
                  : CompletableFuture.completedStage(into);
            });
  }
}
