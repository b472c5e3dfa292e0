package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerPast;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/** The client of one node. */
final class MemSpaceClient implements MemSpaces {
  private static final int LIST_ROUNDS_MAX =
      10; // catalogue pages that one page of a listing may look through

  private final MemSpaceNode node;
  private final Limits limits;
  private final Catalogue catalogue;
  private final WatchHub hub;
  private final Topics topics;
  private final VersionCache cache;
  private final Pins pins;
  private final ForkClient forks;
  private final Creations creations;

  MemSpaceClient(
      MemSpaceNode node, Catalogue catalogue, WatchHub hub, Topics topics, VersionCache cache) {
    this.node = node;
    this.limits = new Limits(node.settings());
    this.catalogue = catalogue;
    this.hub = hub;
    this.topics = topics;
    this.cache = cache;
    this.pins = new Pins(node, catalogue);
    this.forks = new ForkClient(this, pins);
    this.creations = new Creations(node.store());
  }

  MemSpaceNode node() {
    return node;
  }

  Pins pins() {
    return pins;
  }

  Catalogue catalogue() {
    return catalogue;
  }

  Creations creations() {
    return creations;
  }

  @Override
  public Forks forks() {
    return forks;
  }

  @Override
  public Cuts cuts() {
    return new CutClient(this);
  }

  Limits limits() {
    return limits;
  }

  Calls calls() {
    return node.calls();
  }

  Grants grants() {
    return node.grants();
  }

  WatchHub hub() {
    return hub;
  }

  Topics topics() {
    return topics;
  }

  VersionCache cache() {
    return cache;
  }

  CompletionStage<Outcome> apply(LedgerId space, Function<Boolean, SpaceCommand> command) {
    return calls()
        .call(
            (promise, again) ->
                node.spaces().tell(space, new MemSpace.Apply(command.apply(again), promise)));
  }

  /** The newest revision at an instant, which is closed by asking. */
  CompletionStage<Long> revisionAt(LedgerId space, Instant instant) {
    return node.store()
        .now()
        .thenCompose(
            now -> {
              if (instant.toEpochMilli() > Timestamps.millis(now)) {
                throw inFuture(instant, now);
              }
              return calls()
                  .call(
                      (promise, again) ->
                          node.spaces()
                              .tell(
                                  space,
                                  new LedgerOwner.RevisionAt(
                                      MountedSpaceClient.timestampOf(instant), promise)));
            });
  }

  static MemSpaceException inFuture(Instant instant, long now) {
    return new MemSpaceException(
        ErrorCode.AS_OF_IN_FUTURE,
        "instant [%s] lies in the future; the store's time is [%s]"
            .formatted(instant, Timestamps.instant(now)),
        Map.of("field", "as_of", "value", instant.toString()));
  }

  // ---- making ----

  @Override
  public CompletionStage<CreatedSpace> create(
      Principal caller, CreateSpace request, WriteOptions options) {
    return checked(
        () -> {
          Limits.name("name", request.name());
          Limits.labels(request.labels());
          request.owner().ifPresent(owner -> Limits.word("owner", owner));
          options.requestId().ifPresent(Limits::requestId);
          String owner = request.owner().orElse(caller.name());
          if (!owner.equals(caller.name()) && !caller.admin()) {
            throw new MemSpaceException(
                ErrorCode.FORBIDDEN,
                "[%s] can't make a space that belongs to [%s]; only administrators can"
                    .formatted(caller.name(), owner));
          }
          RequestStamp stamp =
              options
                  .requestId()
                  .map(
                      id ->
                          RequestStamp.of(
                              id,
                              Limits.hash(
                                  caller.name(),
                                  request.name(),
                                  request.kind(),
                                  request.owner(),
                                  request.labels(),
                                  request.retention())))
                  .orElse(null);
          return create(caller, request, owner, stamp, LedgerId.random(), ForkOrigin.NOTHING);
        });
  }

  /** Makes a space under an id, with what it begins with. */
  CompletionStage<CreatedSpace> create(
      Principal caller,
      CreateSpace request,
      String owner,
      RequestStamp stamp,
      LedgerId id,
      ForkOrigin origin) {
    return new SpaceCreation(this, caller, request, owner, stamp, id, origin).run();
  }

  // ---- describing ----

  /** Also of a space that is being deleted. */
  CompletionStage<MemSpace.Description> describeAny(LedgerId id) {
    return calls().call((promise, again) -> node.spaces().tell(id, new MemSpace.Describe(promise)));
  }

  CompletionStage<MemSpace.Description> describe(LedgerId id) {
    return describeAny(id)
        .thenApply(
            description -> {
              if (description.deleted()) {
                throw SpaceCommand.gone(description.info().name());
              }
              return description;
            });
  }

  CompletionStage<MemSpace.Description> visible(Principal caller, String space) {
    return catalogue
        .resolve(space)
        .thenCompose(this::describe)
        .thenApply(
            description -> {
              boolean holds =
                  description.mounts().stream()
                      .anyMatch(mount -> mount.holder().equals(caller.name()));
              if (!holds && !maySee(caller, description.info())) {
                throw SpaceCommand.gone(space);
              }
              return description;
            });
  }

  static boolean maySee(Principal caller, SpaceInfo info) {
    return caller.admin() || info.kind() == SpaceKind.SHARED || info.owner().equals(caller.name());
  }

  @Override
  public CompletionStage<SpaceInfo> describe(Principal caller, String space) {
    return visible(caller, space).thenApply(MemSpace.Description::info);
  }

  @Override
  public CompletionStage<String> home(Principal caller, String space) {
    return visible(caller, space)
        .thenCompose(seen -> catalogue.resolve(space))
        .thenCompose(
            id ->
                calls()
                    .call(
                        (promise, again) -> node.spaces().tell(id, new LedgerOwner.Home(promise))));
  }

  @Override
  public CompletionStage<Paged<SpaceInfo>> list(
      Principal caller, Optional<String> label, int limit, Optional<String> cursor) {
    return checked(
        () -> {
          Limits.page(limit);
          String scope = "spaces/" + label.orElse("");
          if (label.isPresent() && !label.get().contains(":")) {
            throw MemSpaceException.invalid("label", label.get(), "name:value");
          }
          String after = cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse("");
          return list(caller, label, limit, after, new ArrayList<>(), LIST_ROUNDS_MAX, scope);
        });
  }

  private CompletionStage<Paged<SpaceInfo>> list(
      Principal caller,
      Optional<String> label,
      int limit,
      String after,
      List<SpaceInfo> found,
      int rounds,
      String scope) {
    int wanted = limit - found.size();
    return catalogue
        .page(after, wanted)
        .thenCompose(
            page -> {
              CompletionStage<List<SpaceInfo>> items = CompletableFuture.completedFuture(found);
              for (Catalogue.Named each : page) {
                items =
                    items.thenCombine(
                        info(each.row().ledger()),
                        (list, info) -> {
                          info.filter(space -> maySee(caller, space))
                              .filter(space -> label.isEmpty() || hasLabel(space, label.get()))
                              .ifPresent(list::add);
                          return list;
                        });
              }
              String last = page.isEmpty() ? after : page.get(page.size() - 1).name();
              boolean more = page.size() == wanted;
              return items.thenCompose(
                  list -> {
                    if (more && list.size() < limit && rounds > 1) {
                      return list(caller, label, limit, last, list, rounds - 1, scope);
                    }
                    Optional<String> next =
                        more
                            ? Optional.of(new Cursor(scope, 0, Bytes.utf8(last)).encode())
                            : Optional.empty();
                    return CompletableFuture.completedFuture(new Paged<>(list, 0, next));
                  });
            });
  }

  private static boolean hasLabel(SpaceInfo space, String label) {
    int colon = label.indexOf(':');
    return label.substring(colon + 1).equals(space.labels().get(label.substring(0, colon)));
  }

  private record Newest(Optional<LogRow> row, Optional<Bytes> forkedFrom) {}

  /** What a space is, straight from the store: listing spaces starts no owner. */
  private CompletionStage<Optional<SpaceInfo>> info(LedgerId id) {
    LedgerReader reader = new LedgerReader(node.store(), id);
    return reader
        .state(SpaceRows.MANIFEST_KEY)
        .thenCombine(
            reader.newestRow().thenCombine(reader.state(ForkRows.FORKED_FROM_KEY), Newest::new),
            (row, newest) ->
                row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class))
                    .filter(manifest -> !manifest.state().equals(SpaceRows.Manifest.DELETED))
                    .map(
                        manifest ->
                            manifest.info(
                                newest.row().map(LogRow::last).orElse(0L), newest.forkedFrom())));
  }

  // ---- changing and ending ----

  @Override
  public CompletionStage<SpaceInfo> update(Principal caller, String space, UpdateSpace change) {
    return checked(
        () -> {
          change.labels().ifPresent(Limits::labels);
          change.owner().ifPresent(owner -> Limits.word("owner", owner));
          return visible(caller, space)
              .thenCompose(description -> catalogue.resolve(space))
              .thenCompose(
                  id ->
                      calls()
                          .<Boolean>call(
                              (promise, again) ->
                                  node.spaces()
                                      .tell(id, new MemSpace.Update(caller, change, promise)))
                          .thenCompose(done -> describe(id))
                          .thenApply(MemSpace.Description::info));
        });
  }

  @Override
  public CompletionStage<SpaceInfo> archive(Principal caller, String space) {
    return visible(caller, space)
        .thenCompose(description -> catalogue.resolve(space))
        .thenCompose(
            id ->
                setState(id, caller, SpaceRows.Manifest.ARCHIVED)
                    .thenCompose(done -> describe(id))
                    .thenApply(MemSpace.Description::info));
  }

  private CompletionStage<Boolean> setState(LedgerId id, Principal caller, String target) {
    return calls()
        .call(
            (promise, again) ->
                node.spaces().tell(id, new MemSpace.SetState(caller, target, promise)));
  }

  @Override
  public CompletionStage<Void> delete(Principal caller, String space) {
    return catalogue
        .resolve(space)
        .thenCompose(
            id ->
                describeAny(id)
                    .thenCompose(
                        there ->
                            there.deleted() && maySee(caller, there.info())
                                ? CompletableFuture.completedFuture(true) // cut short before
                                : visible(caller, space)
                                    .thenCompose(seen -> markDeleted(id, caller)))
                    .thenCompose(done -> finishDeletion(space, id)));
  }

  /** What pins the space may be forks that were never made: those are looked at, once. */
  private CompletionStage<Boolean> markDeleted(LedgerId id, Principal caller) {
    return setState(id, caller, SpaceRows.Manifest.DELETED)
        .exceptionallyCompose(
            failure ->
                Calls.explain(failure).code() == ErrorCode.SPACE_PINNED
                    ? pins.sweep(id)
                        .thenCompose(swept -> setState(id, caller, SpaceRows.Manifest.DELETED))
                    : CompletableFuture.failedStage(failure));
  }

  /** Frees the name of a space that is deleted, and removes its rows. */
  CompletionStage<Void> finishDeletion(String space, LedgerId id) {
    return topics
        .names(id)
        .thenCompose(
            names ->
                pins.originOf(id)
                    .thenCompose(
                        origin ->
                            ledgers(id, names.values())
                                .thenCompose(ledgers -> remove(space, id, ledgers))
                                .thenCompose(done -> catalogue.empty())
                                .thenCompose(removed -> pins.unpin(origin, id))));
  }

  private CompletionStage<Void> remove(String space, LedgerId id, List<LedgerId> ledgers) {
    return node.reader(id)
        .own()
        .past()
        .behindLog()
        .thenCompose(past -> catalogue.remove(space, id, ledgers, past));
  }

  /** All that a space consists of, the copies that a fork has of what it stood on included. */
  private CompletionStage<List<LedgerId>> ledgers(LedgerId space, Collection<LedgerId> topics) {
    List<LedgerId> all = new ArrayList<>();
    CompletionStage<Void> copies = LedgerPast.of(node.store(), space).thenAccept(all::addAll);
    for (LedgerId topic : topics) {
      copies =
          copies
              .thenCompose(done -> LedgerPast.of(node.store(), topic))
              .thenAccept(
                  found -> {
                    all.addAll(found);
                    all.add(topic);
                    all.add(Topic.progressOf(topic));
                  });
    }
    return copies.thenApply(
        done -> {
          all.add(space);
          return all;
        });
  }

  // ---- mounts ----

  @Override
  public CompletionStage<MountedSpace> mount(
      Principal caller, String space, MountRequest request, WriteOptions options) {
    return checked(
        () -> {
          Limits.word("holder", request.holder());
          options.requestId().ifPresent(Limits::requestId);
          if (!caller.admin()
              && !request.holder().equals(caller.name())
              && !request.holder().startsWith("agent/")) {
            return visible(caller, space)
                .thenCompose(
                    description -> {
                      if (!description.info().owner().equals(caller.name())) {
                        throw new MemSpaceException(
                            ErrorCode.FORBIDDEN,
                            "[%s] can't mount [%s] for [%s]; only its owner or an administrator can"
                                .formatted(caller.name(), space, request.holder()));
                      }
                      return addMount(caller, space, request, options);
                    });
          }
          return addMount(caller, space, request, options);
        });
  }

  private CompletionStage<MountedSpace> addMount(
      Principal caller, String space, MountRequest request, WriteOptions options) {
    RequestStamp once = // tried again, it makes no second mount
        options
            .requestId()
            .map(id -> RequestStamp.of(id, hash(caller, request)))
            .orElseGet(() -> RequestStamp.fresh(0));
    boolean maybeRetried = options.requestId().isPresent();
    return catalogue
        .resolve(space)
        .thenCompose(
            id ->
                apply(
                        id,
                        again ->
                            new SpaceChanges.AddMount(
                                id, caller, request, once, again || maybeRetried))
                    .thenCompose(outcome -> grants().get(SpaceRows.mountId(id, outcome.revision())))
                    .thenApply(grant -> new MountedSpaceClient(this, grant)));
  }

  /** Sets in order: another process, which gets the request again, has them in another one. */
  private static long hash(Principal caller, MountRequest request) {
    return Limits.hash(
        "mount",
        caller.name(),
        request.holder(),
        request.access(),
        new TreeSet<>(request.regions()),
        request.prefixes(),
        new TreeSet<>(request.topics()),
        request.showQuarantined());
  }

  @Override
  public CompletionStage<MountedSpace> open(Principal caller, String mountId) {
    return checked(
        () ->
            grants()
                .get(mountId)
                .thenApply(
                    grant -> {
                      if (!grant.mount().holder().equals(caller.name())) {
                        throw notFound(mountId);
                      }
                      return new MountedSpaceClient(this, grant);
                    }));
  }

  private static MemSpaceException notFound(String mountId) {
    return new MemSpaceException(
        ErrorCode.MOUNT_NOT_FOUND,
        "there is no mount [%s] of yours".formatted(mountId),
        Map.of("mount", mountId));
  }

  @Override
  public CompletionStage<MountedSpace> openOnly(Principal caller, String space) {
    return visible(caller, space)
        .thenCompose(
            description -> {
              List<MountInfo> own =
                  description.mounts().stream()
                      .filter(mount -> mount.holder().equals(caller.name()))
                      .toList();
              if (own.size() != 1) {
                throw new MemSpaceException(
                    ErrorCode.MOUNT_REQUIRED,
                    "[%s] has [%d] mounts of space [%s]; name one, or mount the space"
                        .formatted(caller.name(), own.size(), space),
                    Map.of("mounts", own.stream().map(MountInfo::id).toList()));
              }
              return open(caller, own.get(0).id());
            });
  }

  @Override
  public CompletionStage<MountInfo> describeMount(Principal caller, String mountId) {
    return checked(
        () ->
            describe(SpaceRows.spaceOf(mountId))
                .thenApply(
                    description ->
                        description.mounts().stream()
                            .filter(
                                mount ->
                                    mount.id().equals(mountId)
                                        && mayTell(caller, description, mount))
                            .findFirst()
                            .orElseThrow(() -> notFound(mountId))));
  }

  private static boolean mayTell(
      Principal caller, MemSpace.Description description, MountInfo mount) {
    return caller.admin()
        || description.info().owner().equals(caller.name())
        || mount.holder().equals(caller.name())
        || mount.grantedBy().equals(caller.name());
  }

  @Override
  public CompletionStage<List<MountInfo>> mounts(Principal caller, String space) {
    return visible(caller, space)
        .thenApply(
            description ->
                description.mounts().stream()
                    .filter(mount -> mayTell(caller, description, mount))
                    .toList());
  }

  @Override
  public CompletionStage<Void> unmount(Principal caller, String mountId) {
    return describeMount(caller, mountId)
        .thenCompose(
            mount ->
                calls()
                    .<Boolean>call(
                        (promise, again) ->
                            node.spaces()
                                .tell(
                                    SpaceRows.spaceOf(mountId),
                                    new MemSpace.RevokeMount(caller.name(), mountId, promise))))
        .thenApply(done -> null);
  }

  private static <T> CompletionStage<T> checked(Supplier<CompletionStage<T>> call) {
    CompletionStage<T> stage;
    try {
      stage = call.get();
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(Calls.explain(refused));
    }
    return stage;
  }
}
