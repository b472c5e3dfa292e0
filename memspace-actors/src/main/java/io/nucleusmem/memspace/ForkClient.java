package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/** Forks and bookmarks of one node's client. */
final class ForkClient implements Forks {
  private final MemSpaceClient client;
  private final Pins pins;

  ForkClient(MemSpaceClient client, Pins pins) {
    this.client = client;
    this.pins = pins;
  }

  /**
   * A state of a space.
   *
   * @param timestamp at which other ledgers are to be seen with it
   */
  record Point(long revision, long timestamp) {}

  // ---- forking ----

  @Override
  public CompletionStage<CreatedSpace> fork(
      Principal caller, ForkRequest request, WriteOptions options) {
    return checked(
        () -> {
          Limits.name("name", request.name());
          options.requestId().ifPresent(Limits::requestId);
          RequestStamp stamp =
              options
                  .requestId()
                  .map(id -> RequestStamp.of(id, Limits.hash(caller.name(), request)))
                  .orElse(null);
          return client
              .visible(caller, request.space())
              .thenCompose(
                  base ->
                      client
                          .catalogue()
                          .resolve(request.space())
                          .thenCompose(id -> fork(caller, request, stamp, id, base)));
        });
  }

  private CompletionStage<CreatedSpace> fork(
      Principal caller,
      ForkRequest request,
      RequestStamp stamp,
      LedgerId baseId,
      MemSpace.Description base) {
    MountInfo mount =
        base.mounts().stream()
            .filter(each -> each.holder().equals(caller.name()))
            .filter(ForkChanges::isWhole)
            .findFirst()
            .orElseThrow(
                () ->
                    new MemSpaceException(
                        ErrorCode.FORBIDDEN,
                        "[%s] has no mount that shows all of [%s]; a fork takes one"
                            .formatted(caller.name(), request.space())));
    CreateSpace space =
        new CreateSpace(
            request.name(),
            base.info().kind(),
            Optional.empty(),
            Map.of(),
            base.info().retention());
    LedgerId fork = LedgerId.random();
    return point(baseId, request.at())
        .thenCombine(client.node().bases().of(baseId), Start::new)
        .thenCompose(
            start -> {
              ForkOrigin origin = origin(request, baseId, start);
              return pin(caller, mount, baseId, fork, request.name(), start.point())
                  .thenCompose(
                      pinned -> client.create(caller, space, caller.name(), stamp, fork, origin))
                  .handle((made, failure) -> settled(baseId, fork, made, failure))
                  .thenCompose(stage -> stage)
                  .thenCompose(made -> hiding(baseId, origin, made))
                  .thenCompose(made -> unlessErasing(caller, baseId, fork, made));
            });
  }

  /** Before anybody hears of the fork; also one that an earlier request made. */
  private CompletionStage<CreatedSpace> hiding(
      LedgerId base, ForkOrigin origin, CreatedSpace made) {
    return new SpaceQuarantine(client.node())
        .inherit(base, SpaceRows.spaceOf(made.mount().id()), origin.from().revision())
        .thenApply(done -> made);
  }

  /**
   * An erasure that began between the pin and the fork did not find the fork, and the fork does not
   * know the erasure's rule: it is taken back. One that begins later finds it.
   */
  private CompletionStage<CreatedSpace> unlessErasing(
      Principal caller, LedgerId base, LedgerId fork, CreatedSpace made) {
    return new LedgerReader(client.node().store(), base)
        .table(KeepingChanges.ERASING)
        .thenCompose(
            erasing -> {
              if (erasing.isEmpty()) {
                return CompletableFuture.completedStage(made);
              }
              boolean ours = SpaceRows.spaceOf(made.mount().id()).equals(fork);
              CompletionStage<Void> back =
                  ours
                      ? client.delete(caller, made.space().name())
                      : CompletableFuture.completedStage(null); // an earlier request's
              return back.thenCompose(
                  done ->
                      CompletableFuture.failedStage(
                          KeepingChanges.erasureUnderWay(
                              "what [%s] is to be forked from".formatted(made.space().name()))));
            });
  }

  private record Start(Point point, Base base) {}

  private static ForkOrigin origin(ForkRequest request, LedgerId baseId, Start start) {
    requireOwn(request.space(), start);
    long revision = start.point().revision();
    if (start.base().layers().size() >= Base.LAYERS_MAX) {
      throw new MemSpaceException(
          ErrorCode.FORKS_TOO_DEEP,
          "[%s] stands on [%d] spaces, as many as can be; fork one of those, or merge first"
              .formatted(request.space(), start.base().layers().size()),
          Map.of("accepted", Base.LAYERS_MAX));
    }
    return new ForkOrigin(
        Base.of(baseId, revision, start.base()),
        ForkRows.ForkedFrom.of(baseId, request.space(), revision, start.point().timestamp()));
  }

  /** What is older than a fork is pinned in its base, not in the fork. */
  private static void requireOwn(String space, Start start) {
    long revision = start.point().revision();
    if (revision < start.base().revision()) {
      throw MemSpaceException.invalid(
          "at",
          revision,
          "revision %d of [%s] or later; what is older belongs to the space that it was forked from"
              .formatted(start.base().revision(), space));
    }
  }

  private CompletionStage<?> pin(
      Principal caller, MountInfo mount, LedgerId base, LedgerId fork, String name, Point point) {
    return client.apply(
        base,
        again ->
            new ForkChanges.AddPin(
                caller.name(), mount.id(), fork, name, point.revision(), point.timestamp()));
  }

  /** A fork that was refused, or that an earlier request made, leaves no pin of this one. */
  private CompletionStage<CreatedSpace> settled(
      LedgerId base, LedgerId fork, CreatedSpace made, Throwable failure) {
    if (failure == null && SpaceRows.spaceOf(made.mount().id()).equals(fork)) {
      return CompletableFuture.completedFuture(made);
    }
    MemSpaceException why = failure == null ? null : Calls.explain(failure);
    if (why != null && why.code().retryable()) {
      return CompletableFuture.failedFuture(why); // it may yet be there; else the pin is swept
    }
    return pins.remove(base, fork, true)
        .handle(
            (done, ignored) -> { // a pin that stays is swept
              if (why != null) {
                throw why;
              }
              return made;
            });
  }

  // ---- bookmarks ----

  @Override
  public CompletionStage<Bookmark> bookmark(
      MountedSpace space, String name, ReadAt at, WriteOptions options) {
    return checked(
        () -> {
          bookmarkName(name);
          LedgerId id = SpaceRows.spaceOf(space.mount().id());
          RequestStamp once = stamp(options, "bookmark", space.mount().id(), name, at);
          return point(id, at)
              .thenCombine(client.node().bases().of(id), Start::new)
              .thenCompose(
                  start -> {
                    requireOwn(space.mount().space(), start);
                    Point point = start.point();
                    return client.apply(
                        id,
                        again ->
                            new ForkChanges.SetBookmark(
                                space.mount().holder(),
                                once,
                                again || options.requestId().isPresent(),
                                space.mount().id(),
                                name,
                                point.revision(),
                                point.timestamp()));
                  })
              .thenApply(
                  outcome ->
                      ((io.nucleusmem.ledger.Change.OfState) outcome.record().changes().get(0))
                          .value())
              .thenApply(row -> StateJson.decode(row, ForkRows.Bookmark.class).info(name));
        });
  }

  @Override
  public CompletionStage<Bookmark> bookmark(MountedSpace space, String name) {
    return read(
        space,
        own ->
            own.state(ForkRows.bookmarkKey(name))
                .thenApply(
                    row ->
                        StateJson.decode(
                                row.orElseThrow(() -> ForkChanges.noBookmark(name)),
                                ForkRows.Bookmark.class)
                            .info(name)));
  }

  @Override
  public CompletionStage<Paged<Bookmark>> bookmarks(
      MountedSpace space, int limit, Optional<String> cursor) {
    return checked(
        () -> {
          Limits.page(limit);
          String scope = "bookmarks/" + space.mount().id();
          String after = cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse("");
          return read(space, own -> own.state().thenApply(rows -> page(rows, after, limit, scope)));
        });
  }

  private static Paged<Bookmark> page(
      Map<StateKey, Bytes> rows, String after, int limit, String scope) {
    List<Bookmark> all =
        rows.entrySet().stream()
            .filter(each -> each.getKey().table() == SpaceRows.BOOKMARKS)
            .map(
                each ->
                    StateJson.decode(each.getValue(), ForkRows.Bookmark.class)
                        .info(each.getKey().key().utf8()))
            .filter(each -> each.name().compareTo(after) > 0)
            .sorted(Comparator.comparing(Bookmark::name))
            .toList();
    List<Bookmark> page = all.subList(0, Math.min(limit, all.size()));
    return new Paged<>(
        page,
        0,
        all.size() > limit
            ? Optional.of(new Cursor(scope, 0, Bytes.utf8(page.get(limit - 1).name())).encode())
            : Optional.empty());
  }

  @Override
  public CompletionStage<Void> removeBookmark(
      MountedSpace space, String name, WriteOptions options) {
    return checked(
        () -> {
          RequestStamp once = stamp(options, "no bookmark", space.mount().id(), name);
          return client
              .apply(
                  SpaceRows.spaceOf(space.mount().id()),
                  again ->
                      new ForkChanges.RemoveBookmark(
                          space.mount().holder(),
                          once,
                          again || options.requestId().isPresent(),
                          space.mount().id(),
                          name))
              .thenApply(outcome -> null);
        });
  }

  /** What was asked, not what it came to: "now" is the same request later. */
  private static RequestStamp stamp(WriteOptions options, Object... asked) {
    options.requestId().ifPresent(Limits::requestId);
    return options
        .requestId()
        .map(id -> RequestStamp.of(id, Limits.hash(asked)))
        .orElseGet(() -> RequestStamp.fresh(0));
  }

  private static void bookmarkName(String name) {
    Limits.name("bookmark", name);
    if (name.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw MemSpaceException.invalid("bookmark", name, "a name that is not a number");
    }
  }

  /** Reads rows of state of a mounted space, while the mount holds. */
  private <T> CompletionStage<T> read(
      MountedSpace space, Function<LedgerReader, CompletionStage<T>> read) {
    return checked(
        () ->
            client
                .grants()
                .get(space.mount().id())
                .thenCompose(
                    grant ->
                        new MountedSpaceClient(client, grant)
                            .guarded(() -> read.apply(client.node().reader(grant.space()).own()))));
  }

  // ---- differences and merges ----

  @Override
  public CompletionStage<Diff> diff(DiffRequest request) {
    return checked(
        () -> {
          Limits.page(request.limit());
          return opened(request.before())
              .thenCombine(
                  opened(request.after()),
                  (before, after) -> new ForkDiff(client, this, request, before, after).run())
              .thenCompose(diff -> diff);
        });
  }

  /** The space behind a mount, whoever wraps it. */
  private CompletionStage<MountedSpaceClient> opened(MountedSpace space) {
    return client
        .grants()
        .get(space.mount().id())
        .thenApply(grant -> new MountedSpaceClient(client, grant));
  }

  @Override
  public CompletionStage<Merged> merge(MergeRequest request) {
    return checked(
        () -> {
          LedgerId fork = SpaceRows.spaceOf(request.fork().mount().id());
          LedgerId base = SpaceRows.spaceOf(request.base().mount().id());
          ForkChanges.requireWhole(request.fork().mount());
          // conflicts tell of any key, and a part may not be refused behind another
          ForkChanges.requireWhole(request.base().mount());
          return pins.originOf(fork).thenCompose(origin -> merge(request, fork, base, origin));
        });
  }

  private CompletionStage<Merged> merge(
      MergeRequest request, LedgerId fork, LedgerId base, Optional<ForkRows.ForkedFrom> origin) {
    if (origin.isEmpty() || !origin.get().ledger().equals(base)) {
      throw MemSpaceException.invalid(
          "base",
          request.base().mount().space(),
          origin
              .map(from -> "[" + from.space() + "], which it was forked from")
              .orElse("a fork to merge; [%s] is none".formatted(request.fork().mount().space())));
    }
    return client
        .describe(base)
        .thenCompose(
            there -> {
              if (there.info().state() == SpaceInfo.State.ARCHIVED) {
                throw new MemSpaceException(
                    ErrorCode.SPACE_ARCHIVED,
                    "space [%s] is archived: nothing can be merged into it"
                        .formatted(there.info().name()));
              }
              return client.node().newest(client.node().spaces(), fork);
            })
        .thenCombine(
            client.node().newest(client.node().spaces(), base), (of, in) -> new long[] {of, in})
        .thenCompose(newest -> begun(request, fork, newest[0], newest[1]))
        .thenCompose(
            asked ->
                asked.done() != null
                    ? CompletableFuture.completedStage(merged(asked.done()))
                    : merge(request, fork, base, origin.get(), asked));
  }

  private CompletionStage<Merged> merge(
      MergeRequest request,
      LedgerId fork,
      LedgerId base,
      ForkRows.ForkedFrom origin,
      ForkRows.MergeAsked asked) {
    long upTo = asked.upTo();
    return client
        .node()
        .reader(fork)
        .own()
        .state(ForkRows.MERGED_KEY)
        .thenCompose(
            row -> {
              long since =
                  row.map(bytes -> StateJson.decode(bytes, ForkRows.Merged.class).revision())
                      .orElse(origin.revision());
              MergeParts parts =
                  MergeParts.of(client.node().store(), fork, base, request, asked.base());
              return new ForkMerge(client, request, fork, base, since, parts).run(upTo);
            })
        .thenCompose(done -> noted(request, fork, upTo, done).thenApply(noted -> done));
  }

  /**
   * Which state of the fork is merged, and what came of it if that was done before: what it is now,
   * unless the request was begun earlier.
   */
  private CompletionStage<ForkRows.MergeAsked> begun(
      MergeRequest request, LedgerId fork, long newest, long ofBase) {
    if (request.requestId().isEmpty()) {
      return CompletableFuture.completedStage(new ForkRows.MergeAsked(0, newest, 0, null, null));
    }
    MountInfo mount = request.fork().mount();
    long hash =
        Limits.hash(
            mount.id(),
            request.base().mount().id(),
            request.policy(),
            new TreeMap<>(request.resolve()));
    Bytes id = idOf(request).orElseThrow();
    long remembered = client.node().settings().ledger().requestWindow().toMillis();
    return client
        .apply(
            fork,
            again ->
                new MergeChanges.Begin(
                    mount.holder(), mount.id(), id, hash, newest, ofBase, remembered))
        .thenCompose(begun -> client.node().reader(fork).own().state(ForkRows.mergeKey(id)))
        .thenApply(row -> StateJson.decode(row.orElseThrow(), ForkRows.MergeAsked.class));
  }

  private static Optional<Bytes> idOf(MergeRequest request) {
    return request
        .requestId()
        .map(
            id -> {
              Limits.requestId(id);
              RequestStamp stamp = RequestStamp.of(id, 0);
              return new BytesWriter(16).i64(stamp.high()).i64(stamp.low()).toBytes();
            });
  }

  private static Merged merged(ForkRows.MergeDone done) {
    return new Merged(done.keys(), done.revision(), done.parts());
  }

  private CompletionStage<?> noted(MergeRequest request, LedgerId fork, long upTo, Merged done) {
    MountInfo mount = request.fork().mount();
    return client.apply(
        fork,
        again ->
            new MergeChanges.Note(
                mount.holder(),
                mount.id(),
                upTo,
                idOf(request).orElse(null),
                new ForkRows.MergeDone(done.keys(), done.revision(), done.parts())));
  }

  // ---- which state ----

  /** A past state, or with {@link ReadAt#LATEST} what is now. */
  CompletionStage<Point> point(LedgerId space, ReadAt at) {
    ForkReader reader = client.node().reader(space);
    if (at instanceof ReadAt.AtRevision past) {
      if (past.revision() < 0) {
        throw MemSpaceException.invalid("at", past.revision(), "a revision, or an instant");
      }
      return client
          .node()
          .newest(client.node().spaces(), space)
          .thenCompose(
              newest -> {
                MountedSpaceClient.requireReached("at", past.revision(), newest);
                return reader.rowOf(past.revision());
              })
          .thenApply(
              row ->
                  new Point(
                      past.revision(),
                      row.orElseThrow(() -> new CompactedException(past.revision(), 0))
                          .timestamp()));
    }
    if (at instanceof ReadAt.AtBookmark bookmark) {
      return reader
          .own()
          .state(ForkRows.bookmarkKey(bookmark.name()))
          .thenApply(
              row ->
                  StateJson.decode(
                      row.orElseThrow(() -> ForkChanges.noState("at", bookmark.name())),
                      ForkRows.Bookmark.class))
          .thenApply(row -> new Point(row.revision(), row.timestamp()));
    }
    CompletionStage<Instant> instant =
        at instanceof ReadAt.AtInstant past
            ? CompletableFuture.completedFuture(past.instant())
            : client.node().store().now().thenApply(Timestamps::instant);
    return instant.thenCompose(
        moment ->
            client
                .revisionAt(space, moment)
                .thenApply(
                    revision -> {
                      if (revision < 0) {
                        throw MemSpaceException.invalid(
                            "at", moment, "an instant at which the space was there");
                      }
                      return new Point(revision, MountedSpaceClient.timestampOf(moment));
                    }));
  }

  private static <T> CompletionStage<T> checked(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(Calls.explain(refused));
    }
  }
}
