package io.nucleusmem.persistence;

import akka.Done;
import akka.persistence.state.javadsl.DurableStateUpdateStore;
import akka.persistence.state.javadsl.GetObjectResult;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Durable states over {@link DurableStateDao}, as Java sees them.
 *
 * <p>A write or delete names the revision that it makes, one above the newest; any other fails with
 * {@link StaleWriterException}. A deleted state keeps its revision.
 */
final class DurableStates implements DurableStateUpdateStore<Object> {
  private final DurableStateDao dao;
  private final Payloads payloads;
  private final DurableStateSettings settings;

  DurableStates(DurableStateDao dao, Payloads payloads, DurableStateSettings settings) {
    this.dao = dao;
    this.payloads = payloads;
    this.settings = settings;
  }

  @Override
  public CompletionStage<GetObjectResult<Object>> getObject(String persistenceId) {
    return Stages.unwrapped(
        Stages.attempt(() -> dao.get(persistenceId))
            .thenApply(found -> found.map(this::result).orElse(nothing())));
  }

  @Override
  public CompletionStage<Done> upsertObject(
      String persistenceId, long revision, Object value, String tag) {
    return done(Stages.attempt(() -> write(persistenceId, revision, value, tag)));
  }

  @Override
  public CompletionStage<Done> deleteObject(String persistenceId, long revision) {
    return done(Stages.attempt(() -> markDeleted(persistenceId, revision)));
  }

  /** Deletes whatever revision is there; fails if another writer comes between. */
  @Override
  @Deprecated
  public CompletionStage<Done> deleteObject(String persistenceId) {
    return done(
        Stages.attempt(() -> dao.get(persistenceId))
            .thenCompose(
                found ->
                    found.isEmpty() || found.get().state().isEmpty()
                        ? Stages.done()
                        : markDeleted(persistenceId, found.get().revision() + 1)));
  }

  private CompletionStage<Void> write(
      String persistenceId, long revision, Object value, String tag) {
    try {
      Serialized state = payloads.write(value);
      int bytes = state.bytes().length();
      if (bytes > settings.stateBytesMax()) {
        throw new IllegalArgumentException(
            "durable state [%s] at revision [%d] takes [%d] bytes; %s allows [%d]"
                .formatted(
                    persistenceId,
                    revision,
                    bytes,
                    DurableStateSettings.STATE_BYTES_MAX_PATH,
                    settings.stateBytesMax()));
      }
      return dao.write(persistenceId, new StateRow(revision, 0, tag, Optional.of(state)));
    } catch (Exception e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private CompletionStage<Void> markDeleted(String persistenceId, long revision) {
    return dao.write(persistenceId, new StateRow(revision, 0, "", Optional.empty()));
  }

  private GetObjectResult<Object> result(StateRow row) {
    return new GetObjectResult<>(row.state().map(payloads::read), row.revision());
  }

  private static GetObjectResult<Object> nothing() {
    return new GetObjectResult<>(Optional.empty(), 0L);
  }

  private static CompletionStage<Done> done(CompletionStage<Void> stage) {
    return Stages.unwrapped(stage.thenApply(ignored -> Done.getInstance()));
  }
}
