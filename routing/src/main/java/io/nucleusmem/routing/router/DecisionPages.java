package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.routing.Routing.DecisionQuery;
import io.nucleusmem.routing.RoutingDecision;
import io.nucleusmem.store.Direction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Listings of decisions by time. The ids sort by time, so a span of time is a few prefixes of ids;
 * a cursor is the last id of its page, with the revision that the first page was read at.
 */
final class DecisionPages {
  private final OwnSpace space;
  private final DecisionLog log;

  DecisionPages(OwnSpace space, DecisionLog log) {
    this.space = space;
    this.log = log;
  }

  private record Cursor(long revision, String last) {
    String encode() {
      return revision + "-" + last;
    }

    static Cursor decode(String cursor) {
      int dash = cursor.indexOf('-');
      try {
        Cursor decoded =
            new Cursor(
                Long.parseLong(cursor.substring(0, Math.max(dash, 0))), cursor.substring(dash + 1));
        if (TimeIds.isId(decoded.last()) && decoded.revision() > 0) {
          return decoded;
        }
      } catch (NumberFormatException e) {
        // refused below
      }
      throw MemSpaceException.invalid(
          "cursor", cursor, "the [next] of the page before, of the same listing");
    }
  }

  CompletionStage<Paged<RoutingDecision>> page(Principal caller, DecisionQuery query) {
    return Failures.attempt(
        () -> {
          Optional<Cursor> cursor = query.cursor().map(Cursor::decode);
          String base =
              query
                  .message()
                  .map(DecisionLog::byMessage)
                  .or(() -> query.route().map(DecisionLog::byRoute))
                  .orElse(DecisionLog.DECISION);
          String from =
              cursor
                  .map(each -> TimeIds.after(each.last()))
                  .orElseGet(() -> TimeIds.first(query.from().orElse(Instant.EPOCH)));
          String to = TimeIds.last(query.until().orElse(Instant.ofEpochMilli(Long.MAX_VALUE)));
          ReadAt at =
              cursor.<ReadAt>map(each -> ReadAt.revision(each.revision())).orElse(ReadAt.LATEST);
          Listing listing = new Listing(base, caller, query, new ArrayList<>());
          return listing
              .scan(TimeIds.prefixes(from, to), 0, at, 0)
              .thenCompose(revision -> listing.page(revision));
        });
  }

  /** One page as it fills. */
  private final class Listing {
    private final String base;
    private final Principal caller;
    private final DecisionQuery query;
    private final List<Entry> found;
    private boolean full;

    Listing(String base, Principal caller, DecisionQuery query, List<Entry> found) {
      this.base = base;
      this.caller = caller;
      this.query = query;
      this.found = found;
    }

    /** Reads prefix after prefix until the page is full; the revision they were read at. */
    CompletionStage<Long> scan(List<String> prefixes, int next, ReadAt at, long revision) {
      if (next == prefixes.size()) {
        return CompletableFuture.completedStage(revision);
      }
      ScanRequest request =
          new ScanRequest(
              Region.MEMORY,
              base + prefixes.get(next),
              at,
              Direction.ASCENDING,
              base.equals(DecisionLog.DECISION),
              // one more tells whether there is a next page
              query.limit() + 1 - found.size(),
              Optional.empty());
      return entries(request)
          .thenCompose(
              page -> {
                page.items().stream()
                    .filter(entry -> entry.key().name().length() == base.length() + TimeIds.DIGITS)
                    .forEach(found::add);
                full = found.size() > query.limit();
                return full
                    ? CompletableFuture.completedStage(page.revision())
                    : scan(prefixes, next + 1, ReadAt.revision(page.revision()), page.revision());
              });
    }

    /** A scan may end a page early; the rest follows. */
    private CompletionStage<Paged<Entry>> entries(ScanRequest request) {
      int wanted = request.limit();
      ScanRequest allowed = request.limit(Math.min(wanted, 1_000));
      return space
          .call(mounted -> mounted.scan(allowed))
          .thenCompose(
              page ->
                  page.next().isEmpty() || page.items().size() >= wanted
                      ? CompletableFuture.completedStage(page)
                      : entries(
                              request.limit(wanted - page.items().size()).after(page.next().get()))
                          .thenApply(rest -> joined(page, rest)));
    }

    private Paged<Entry> joined(Paged<Entry> page, Paged<Entry> rest) {
      List<Entry> all = new ArrayList<>(page.items());
      all.addAll(rest.items());
      return new Paged<>(all, page.revision(), rest.next());
    }

    CompletionStage<Paged<RoutingDecision>> page(long revision) {
      List<Entry> shown = full ? found.subList(0, query.limit()) : found;
      Optional<String> next =
          full
              ? Optional.of(new Cursor(revision, id(shown.get(shown.size() - 1))).encode())
              : Optional.empty();
      CompletionStage<List<RoutingDecision>> decisions =
          CompletableFuture.completedStage(new ArrayList<>());
      for (Entry entry : shown) {
        decisions =
            decisions.thenCompose(
                list ->
                    decision(entry, revision)
                        .thenApply(
                            read -> {
                              read.filter(this::fits).ifPresent(list::add);
                              return list;
                            }));
      }
      return decisions.thenApply(list -> new Paged<>(list, revision, next));
    }

    private CompletionStage<Optional<RoutingDecision>> decision(Entry entry, long revision) {
      return base.equals(DecisionLog.DECISION)
          ? CompletableFuture.completedStage(Optional.of(DecisionLog.read(entry)))
          : log.find(id(entry), ReadAt.revision(revision));
    }

    /** The caller's; and by message and by route at once, where the page was read by message. */
    private boolean fits(RoutingDecision decision) {
      return DecisionLog.isFor(caller, decision) && fitsRoute(decision);
    }

    private boolean fitsRoute(RoutingDecision decision) {
      return query
          .route()
          .map(
              route ->
                  route.equals(decision.route())
                      || decision.deliveries().stream()
                          .anyMatch(each -> route.equals(each.route())))
          .orElse(true);
    }

    private String id(Entry entry) {
      String name = entry.key().name();
      return name.substring(name.length() - TimeIds.DIGITS);
    }
  }
}
