package io.nucleusmem.memspace;

import akka.stream.Materializer;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What becomes of spaces' pasts, as one node sees to it. */
final class SpaceKeepingClient implements SpaceKeeping {
  static final String COMPACT = "compact";

  private final MemSpaceClient spaces;
  private final Catalogue catalogue;
  private final Operations operations;
  private final SpaceLocks locks = new SpaceLocks();
  private final SpaceCompaction compaction;
  private final SpaceTransfer transfer;

  SpaceKeepingClient(
      MemSpaceClient spaces,
      Catalogue catalogue,
      Operations operations,
      RetentionSettings settings) {
    this.spaces = spaces;
    this.catalogue = catalogue;
    this.operations = operations;
    this.compaction = new SpaceCompaction(spaces.node(), settings.pace());
    this.transfer = new SpaceTransfer(spaces.node(), catalogue);
    operations.register(COMPACT, this::compact);
  }

  SpaceCompaction compaction() {
    return compaction;
  }

  SpaceLocks locks() {
    return locks;
  }

  // ---- compaction ----

  @Override
  public CompletionStage<OperationInfo> compact(
      Principal caller, String space, OptionalLong floor, boolean dryRun) {
    return owned(caller, space)
        .thenCompose(
            id -> {
              Map<String, Object> arguments = new LinkedHashMap<>();
              arguments.put("id", id.toString());
              arguments.put("dry_run", dryRun);
              floor.ifPresent(revision -> arguments.put("floor", revision));
              return operations.start(
                  caller, COMPACT, arguments, Map.of("space", space, "dry_run", dryRun));
            });
  }

  private CompletionStage<Map<String, Object>> compact(OperationRun run) {
    LedgerId id = LedgerId.parse((String) run.arguments().get("id"));
    Number floor = (Number) run.arguments().get("floor");
    return locks.alone(
        id,
        () ->
            compaction.run(
                id,
                floor == null ? OptionalLong.empty() : OptionalLong.of(floor.longValue()),
                Boolean.TRUE.equals(run.arguments().get("dry_run")),
                run::progress));
  }

  /** Raises a space's floor and removes what is below; the number of rows removed. */
  CompletionStage<Long> compact(String space, long floor) {
    return catalogue
        .resolve(space)
        .thenCompose(
            id ->
                locks.alone(
                    id,
                    () -> compaction.run(id, OptionalLong.of(floor), false, (name, value) -> {})))
        .thenApply(
            result ->
                ((Number) result.get("versions")).longValue()
                    + ((Number) result.get("log_rows")).longValue());
  }

  // ---- export and import ----

  @Override
  public CompletionStage<Exported> export(
      Principal caller, String space, Optional<Instant> at, long from) {
    if (from < 0) {
      return CompletableFuture.failedFuture(
          MemSpaceException.invalid("from", from, "bytes that came before, 0 or more"));
    }
    return owned(caller, space)
        .thenCombine(
            spaces.node().store().now(),
            (id, now) -> {
              Instant newest = Timestamps.instant(now);
              if (at.isPresent() && at.get().isAfter(newest)) {
                throw new MemSpaceException(
                    ErrorCode.AS_OF_IN_FUTURE,
                    "instant [%s] lies in the future; the store's time is [%s]"
                        .formatted(at.get(), newest),
                    Map.of("field", "at", "value", at.get().toString()));
              }
              return transfer.export(id, at.orElse(newest), from, version -> version);
            })
        .thenCompose(stage -> stage);
  }

  @Override
  public CompletionStage<CreatedSpace> importSpace(
      Principal caller, String name, Source<ByteString, ?> bytes, Materializer materializer) {
    try {
      Limits.name("name", name);
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
    return transfer.importSpace(caller, name, bytes, materializer);
  }

  // ---- who may ----

  /** The ledger of a space that the caller owns. */
  private CompletionStage<LedgerId> owned(Principal caller, String space) {
    return spaces
        .describe(caller, space)
        .thenCompose(
            info -> {
              if (!caller.admin() && !info.owner().equals(caller.name())) {
                throw new MemSpaceException(
                    ErrorCode.NOT_OWNER,
                    "space [%s] is owned by somebody else; only its owner or an administrator may do that"
                        .formatted(space));
              }
              return catalogue.resolve(space);
            });
  }
}
