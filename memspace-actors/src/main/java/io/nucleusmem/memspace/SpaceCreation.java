package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Makes one space: its name, the first row of its log, its manifest and the creator's mount in one
 * commit.
 */
final class SpaceCreation {
  private static final int RESENDS_MAX = 20; // of a creation whose outcome is not known
  private static final int CREATIONS_MAX = 4; // tries, where a name is becoming free

  private final MemSpaceClient client;
  private final Principal caller;
  private final CreateSpace request;
  private final String owner;
  private final RequestStamp stamp;
  private final LedgerId id;
  private final ForkOrigin origin;

  /**
   * @param stamp null without a request id
   * @param id under which it is made
   * @param origin what it begins with
   */
  SpaceCreation(
      MemSpaceClient client,
      Principal caller,
      CreateSpace request,
      String owner,
      RequestStamp stamp,
      LedgerId id,
      ForkOrigin origin) {
    this.client = client;
    this.caller = caller;
    this.request = request;
    this.owner = owner;
    this.stamp = stamp;
    this.id = id;
    this.origin = origin;
  }

  /** The space, or the one that an earlier sending of the same request has made. */
  CompletionStage<CreatedSpace> run() {
    return create(CREATIONS_MAX);
  }

  private CompletionStage<CreatedSpace> create(int tries) {
    if (tries == 0) {
      return CompletableFuture.failedFuture(
          new MemSpaceException(
              ErrorCode.UNAVAILABLE,
              "space [%s] is being deleted; try again".formatted(request.name())));
    }
    return commit(Creations.TRIES_MAX)
        .thenCompose(
            made ->
                made.isPresent()
                    ? CompletableFuture.completedFuture(made.get())
                    : exists()
                        .thenCompose(
                            there ->
                                there.isPresent()
                                    ? CompletableFuture.completedFuture(there.get())
                                    : create(tries - 1)));
  }

  /** Empty if the name is taken. */
  private CompletionStage<Optional<CreatedSpace>> commit(int tries) {
    return client
        .creations()
        .open(request.name())
        .thenCompose(gate -> client.node().store().now().thenCompose(now -> commit(gate, now)))
        .exceptionallyCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              return tries > 1 && cause instanceof Creations.ClosedException
                  ? commit(tries - 1)
                  : CompletableFuture.failedStage(cause);
            });
  }

  private CompletionStage<Optional<CreatedSpace>> commit(Bytes gate, long now) {
    SpaceRows.Manifest manifest = SpaceRows.Manifest.of(request, owner, Timestamps.millis(now));
    String mountId = SpaceRows.mountId(id, 0);
    SpaceRows.Mount mount =
        SpaceRows.Mount.of(
            MountRequest.of(caller.name(), Access.READ_WRITE),
            caller.name(),
            !owner.equals(caller.name()));
    List<Change> changes = new ArrayList<>(origin.changes());
    changes.add(SpaceRows.change(SpaceRows.MANIFEST_KEY, StateJson.encode(manifest)));
    changes.add(SpaceRows.change(SpaceRows.mountKey(mountId), StateJson.encode(mount)));
    LogRecord record = new LogRecord(caller.name(), stamp, changes);
    Catalogue.SpaceRow row = new Catalogue.SpaceRow(id.toString());
    WriteBatch.Builder batch =
        WriteBatch.at(now)
            .insert(Catalogue.key(request.name()), StateJson.encode(row))
            .require(gate);
    Ledger.create(batch, client.node().store(), id, 0, now, record, origin.base());
    return commit(batch.build(), RESENDS_MAX)
        .handle(
            (done, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause == null) {
                return Optional.of(
                    new CreatedSpace(
                        manifest.info(
                            origin.base().revision(),
                            Optional.ofNullable(origin.from()).map(StateJson::encode)),
                        mount.info(mountId, request.name())));
              }
              if (cause instanceof RefusedCommitException refused) {
                Creations.requireOpen(refused, gate);
                return Optional.empty();
              }
              throw Calls.explain(cause);
            });
  }

  private CompletionStage<Void> commit(WriteBatch batch, int resends) {
    return client
        .node()
        .store()
        .commit(batch)
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof UndeterminedCommitException && resends > 0) {
                return commit(batch, resends - 1);
              }
              return cause == null
                  ? CompletableFuture.<Void>completedFuture(null)
                  : CompletableFuture.failedFuture(cause);
            });
  }

  /**
   * The name is taken: by this very request, sent before, or by another space. Empty if it is free
   * now, as that was deleted.
   */
  private CompletionStage<Optional<CreatedSpace>> exists() {
    return client
        .catalogue()
        .find(request.name())
        .thenCompose(
            row ->
                row.isEmpty()
                    ? CompletableFuture.completedFuture(Optional.empty())
                    : client
                        .describeAny(row.get().ledger())
                        .thenCompose(there -> exists(row.get().ledger(), there)));
  }

  private CompletionStage<Optional<CreatedSpace>> exists(
      LedgerId found, MemSpace.Description there) {
    if (there.deleted()) {
      return client.finishDeletion(request.name(), found).thenApply(done -> Optional.empty());
    }
    return new LedgerReader(client.node().store(), found)
        .log(0, 1)
        .thenApply(log -> Optional.of(made(found, log, there)));
  }

  private CreatedSpace made(
      LedgerId found, LedgerReader.LogPage log, MemSpace.Description description) {
    LogRow first = log.rows().isEmpty() ? null : log.rows().get(0);
    long begin = description.info().base().map(ForkBase::revision).orElse(0L);
    RequestStamp used =
        first == null || first.first() != begin ? null : first.records().get(0).request();
    boolean same = stamp != null && used != null && used.sameId(stamp);
    if (same && used.hash() != stamp.hash()) {
      throw new MemSpaceException(
          ErrorCode.IDEMPOTENCY_KEY_REUSED,
          "the request id was used to make space [%s] with other properties; use a new one"
              .formatted(request.name()));
    }
    if (!found.equals(id) && !same) {
      throw new MemSpaceException(
          ErrorCode.SPACE_EXISTS,
          "there is a space [%s] already".formatted(request.name()),
          Map.of("name", request.name()));
    }
    MountInfo mount =
        description.mounts().stream()
            .filter(each -> each.id().endsWith("-0"))
            .findFirst()
            .orElseThrow(
                () ->
                    new MemSpaceException(
                        ErrorCode.SPACE_EXISTS,
                        "space [%s] was made before".formatted(request.name())));
    return new CreatedSpace(description.info(), mount);
  }
}
