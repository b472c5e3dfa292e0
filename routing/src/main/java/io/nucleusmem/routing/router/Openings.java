package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.Target;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which topics are open to the router because of routes. The first route to a topic makes the
 * router's mount, with the right of who registers it; the last one that leaves takes it away. A
 * mount that was there before stays.
 *
 * <p>A change is prepared here, committed with the route, and then done or undone: a mount is
 * revoked only when no route needs it by a commit, and a row that says so stands until it is gone.
 */
final class Openings {
  private static final Logger LOG = LoggerFactory.getLogger(Openings.class);
  static final Set<ErrorCode> GONE =
      EnumSet.of(ErrorCode.MOUNT_NOT_FOUND, ErrorCode.MOUNT_REVOKED, ErrorCode.SPACE_NOT_FOUND);

  private final MemSpaces spaces;
  private final OwnSpace routes;

  Openings(MemSpaces spaces, OwnSpace routes) {
    this.spaces = spaces;
    this.routes = routes;
  }

  /**
   * What belongs to a change of a route.
   *
   * @param operations to be committed with it
   * @param made mounts that were made for it: to be revoked if it is refused
   * @param unneeded mounts to be revoked when it is committed
   * @param closing rows that go when those mounts have
   */
  record Change(
      List<Operation> operations,
      List<String> made,
      List<String> unneeded,
      List<EntryKey> closing) {
    static final Change NONE = new Change(List.of(), List.of(), List.of(), List.of());

    Change and(Change other) {
      return new Change(
          join(operations, other.operations),
          join(made, other.made),
          join(unneeded, other.unneeded),
          join(closing, other.closing));
    }

    private static <T> List<T> join(List<T> some, List<T> others) {
      List<T> all = new ArrayList<>(some);
      all.addAll(others);
      return all;
    }
  }

  /** A row and its revision, 0 if there is none. */
  private record Found(EntryKey key, OpeningRow row, long revision) {
    Operation put(OpeningRow next) {
      return new Operation.Put(
          key, next.toContent(), OptionalLong.of(revision), Operation.ANY, false);
    }
  }

  private CompletionStage<Found> find(Target.Topic topic) {
    EntryKey key = OpeningRow.key(topic);
    return routes
        .call(mounted -> mounted.get(key))
        .thenApply(
            entry ->
                entry
                    .map(found -> new Found(key, OpeningRow.read(found), found.revision()))
                    .orElse(new Found(key, OpeningRow.NONE, 0)));
  }

  // ---- preparing ----

  /**
   * A route to a topic is registered.
   *
   * @return fails as {@link MemSpaces#mount} does if the caller may not mount the topic himself
   */
  CompletionStage<Change> open(Principal caller, String route, Target.Topic topic) {
    return find(topic)
        .thenCompose(
            found ->
                RouterSpace.existing(
                        spaces,
                        topic.space(),
                        mount -> publishes(mount, topic) && !isGoing(mount, found.row()))
                    .thenCompose(own -> open(caller, route, topic, found, own)));
  }

  private static boolean publishes(MountInfo mount, Target.Topic topic) {
    return mount.access().mayAppend()
        && mount.coversTopic(topic.topic())
        && !RouterSpace.isConsuming(mount, topic.topic());
  }

  private static boolean isGoing(MountInfo mount, OpeningRow row) {
    return row.isClosing() && mount.id().equals(row.mount());
  }

  private CompletionStage<Change> open(
      Principal caller, String route, Target.Topic topic, Found found, Optional<MountedSpace> own) {
    if (own.isPresent()) {
      // it is asked all the same whether the caller could open the topic himself
      CompletionStage<Void> allowed =
          caller.admin()
              ? CompletableFuture.completedStage(null)
              : mount(caller, topic).thenCompose(made -> revoke(List.of(made)));
      return allowed.thenApply(
          done ->
              change(
                  found,
                  found.row().with(route, found.row().isClosing() ? null : found.row().mount()),
                  List.of()));
    }
    return mount(caller, topic)
        .thenApply(made -> change(found, found.row().with(route, made), List.of(made)));
  }

  private static Change change(Found found, OpeningRow next, List<String> made) {
    return next.equals(found.row())
        ? Change.NONE
        : new Change(
            List.of(found.put(next)),
            made,
            found.row().isClosing() ? List.of(found.row().mount()) : List.of(),
            List.of());
  }

  private CompletionStage<String> mount(Principal caller, Target.Topic topic) {
    return spaces
        .mount(caller, topic.space(), RouterSpace.publishing(topic.topic()))
        .thenApply(mounted -> mounted.mount().id());
  }

  /** A route does not lead to a target any more. */
  CompletionStage<Change> close(String route, Target target) {
    if (!(target instanceof Target.Topic topic)) {
      return CompletableFuture.completedStage(Change.NONE);
    }
    return find(topic)
        .thenApply(
            found -> {
              OpeningRow next = found.row().without(route);
              if (next.equals(found.row())) {
                return Change.NONE;
              }
              if (next.isClosing()) {
                return new Change(
                    List.of(found.put(next)),
                    List.of(),
                    List.of(next.mount()),
                    List.of(found.key()));
              }
              Operation operation =
                  next.routes().isEmpty()
                      ? new Operation.Delete(
                          found.key(), OptionalLong.of(found.revision()), Operation.ANY)
                      : found.put(next);
              return new Change(List.of(operation), List.of(), List.of(), List.of());
            });
  }

  // ---- behind the commit ----

  /** The change was committed: what it does not need any more goes. */
  CompletionStage<Void> done(Change change, long revision) {
    if (change.unneeded().isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    List<Operation> rows = new ArrayList<>();
    change
        .closing()
        .forEach(
            key -> rows.add(new Operation.Delete(key, OptionalLong.of(revision), Operation.ANY)));
    return revoke(change.unneeded())
        .thenCompose(
            gone ->
                rows.isEmpty()
                    ? CompletableFuture.<Void>completedStage(null)
                    : routes
                        .call(mounted -> mounted.write(rows, WriteOptions.DEFAULT))
                        .<Void>thenApply(written -> null))
        .handle(
            (gone, failure) -> {
              if (failure != null) {
                // the row tells the next route to that topic
                LOG.info("a topic was not closed to the router: {}", Failures.reason(failure));
              }
              return null;
            });
  }

  /** The change was refused. */
  CompletionStage<Void> undone(Change change) {
    return revoke(change.made())
        .exceptionally(
            failure -> {
              LOG.info(
                  "mounts {} of the router are left over: {}",
                  change.made(),
                  Failures.reason(failure));
              return null;
            });
  }

  private CompletionStage<Void> revoke(List<String> mounts) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (String mount : mounts) {
      all =
          all.thenCompose(
              before ->
                  Failures.recover(
                      spaces.unmount(RouterSpace.SYSTEM, mount),
                      failure ->
                          failure instanceof MemSpaceException refused
                                  && GONE.contains(refused.code())
                              ? CompletableFuture.completedStage(null)
                              : CompletableFuture.failedStage(failure)));
    }
    return all;
  }
}
