package io.nucleusmem.memspace;

import akka.stream.Materializer;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** What becomes of spaces' pasts, as one node sees to it. */
final class SpaceKeepingClient implements SpaceKeeping {
  static final String COMPACT = "compact";
  static final String ERASE = "erase";
  static final String FLATTEN = "flatten";
  private static final int REASON_CHARS_MAX = 1_000;
  private static final int ERASED_KEYS_MAX = 1_000;

  private final MemSpaceClient spaces;
  private final Catalogue catalogue;
  private final Operations operations;
  private final SpaceLocks locks = new SpaceLocks();
  private final SpaceCompaction compaction;
  private final SpaceErasure erasure;
  private final SpaceFlattening flattening;
  private final SpaceQuarantine quarantine;
  private final Map<String, CompletableFuture<Void>> hiding =
      new ConcurrentHashMap<>(); // calls that wait until nothing is shown
  private final SpaceTransfer transfer;

  SpaceKeepingClient(
      MemSpaceClient spaces,
      Catalogue catalogue,
      Operations operations,
      RetentionSettings settings) {
    this.spaces = spaces;
    this.catalogue = catalogue;
    this.operations = operations;
    Pace pace = settings.pace();
    this.compaction = new SpaceCompaction(spaces.node(), spaces.topics(), pace);
    this.erasure = new SpaceErasure(spaces.node(), spaces.topics(), locks, pace);
    operations.register(ERASE, this::erase);
    this.quarantine = new SpaceQuarantine(spaces.node());
    this.flattening = new SpaceFlattening(spaces, catalogue, pace);
    operations.register(FLATTEN, this::flatten);
    this.transfer = new SpaceTransfer(spaces.node(), spaces.topics(), catalogue);
    operations.register(COMPACT, this::compact);
  }

  SpaceCompaction compaction() {
    return compaction;
  }

  SpaceFlattening flattening() {
    return flattening;
  }

  SpaceLocks locks() {
    return locks;
  }

  // ---- compaction ----

  @Override
  public CompletionStage<OperationInfo> compact(
      Principal caller, String space, OptionalLong floor, boolean dryRun) {
    if (floor.isPresent() && floor.getAsLong() < 1) {
      return CompletableFuture.failedFuture(
          MemSpaceException.invalid("floor", floor.getAsLong(), "a revision, 1 or more"));
    }
    return owned(caller, space)
        .thenCompose(id -> reached(id, floor).thenApply(there -> id))
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

  /** Refuses a floor that lies in the future, whatever pins would make of it. */
  private CompletionStage<Void> reached(LedgerId id, OptionalLong floor) {
    if (floor.isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    return spaces
        .node()
        .newest(spaces.node().spaces(), id)
        .thenAccept(
            newest -> {
              if (floor.getAsLong() > newest) {
                throw MemSpaceException.invalid(
                    "floor", floor.getAsLong(), "1 to the newest revision, " + newest);
              }
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

  // ---- flattening ----

  @Override
  public CompletionStage<OperationInfo> flatten(Principal caller, String space) {
    return owned(caller, space)
        .thenCompose(
            id ->
                operations.start(
                    caller, FLATTEN, Map.of("id", id.toString()), Map.of("space", space)));
  }

  private CompletionStage<Map<String, Object>> flatten(OperationRun run) {
    LedgerId id = LedgerId.parse((String) run.arguments().get("id"));
    return locks.alone(id, () -> flattening.run(id, run::progress));
  }

  // ---- erasure ----

  @Override
  public CompletionStage<OperationInfo> erase(
      Principal caller, String space, Erasable what, String reason) {
    ErasureRule rule;
    try {
      rule = rule(caller, what, reason);
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
    CompletableFuture<Void> hidden = new CompletableFuture<>();
    return owned(caller, space)
        .thenCompose(
            id -> {
              hiding.put(rule.id(), hidden);
              Map<String, Object> arguments = new LinkedHashMap<>();
              arguments.put("id", id.toString());
              arguments.put("rule", StateJson.encode(rule).utf8());
              return operations.start(
                  caller, ERASE, arguments, Map.of("space", space, "reason", reason));
            })
        .thenCompose(
            operation ->
                hidden.thenCompose(
                    done ->
                        operations.get(caller, operation.id()).exceptionally(gone -> operation)))
        .whenComplete((done, failure) -> hiding.remove(rule.id()));
  }

  private ErasureRule rule(Principal caller, Erasable what, String reason) {
    if (reason == null || reason.isBlank() || reason.length() > REASON_CHARS_MAX) {
      throw MemSpaceException.invalid("reason", reason, "1 to " + REASON_CHARS_MAX + " characters");
    }
    String region = null;
    List<String> keys = null;
    String prefix = null;
    String subject = null;
    if (what instanceof Erasable.Keys some) {
      keys = some.names();
      region = some.region().label();
      if (keys.isEmpty() || keys.size() > ERASED_KEYS_MAX) {
        throw MemSpaceException.invalid("keys", keys.size(), "1 to " + ERASED_KEYS_MAX);
      }
      keys.forEach(key -> spaces.limits().key(new EntryKey(some.region(), key)));
    } else if (what instanceof Erasable.Prefix some) {
      prefix = some.prefix();
      region = some.region().map(Region::label).orElse(null);
      spaces.limits().prefix(new EntryKey(some.region().orElse(Region.MEMORY), prefix));
    } else if (what instanceof Erasable.Subject some) {
      subject = some.subject();
      if (subject.isBlank()) {
        throw MemSpaceException.invalid("subject", subject, "what metadata names");
      }
    }
    String id = UUID.randomUUID().toString();
    return new ErasureRule(id, caller.name(), reason, 0, region, keys, prefix, subject);
  }

  private CompletionStage<Map<String, Object>> erase(OperationRun run) {
    LedgerId id = LedgerId.parse((String) run.arguments().get("id"));
    ErasureRule rule =
        StateJson.decode(Bytes.utf8((String) run.arguments().get("rule")), ErasureRule.class);
    CompletableFuture<Void> hidden =
        hiding.getOrDefault(rule.id(), new CompletableFuture<>()); // nobody waits for a second run
    return erasure
        .hide(id, run.caller(), rule)
        .whenComplete(
            (all, failure) -> {
              if (failure == null) {
                run.progress("step", "rows");
                hidden.complete(null);
              } else {
                hidden.completeExceptionally(Calls.explain(failure));
              }
            })
        .thenCompose(all -> erasure.remove(all, run::progress));
  }

  // ---- quarantine ----

  @Override
  public CompletionStage<Void> quarantine(
      Principal caller, String space, EntryKey key, long revision, String reason) {
    if (reason == null || reason.isBlank() || reason.length() > REASON_CHARS_MAX) {
      return CompletableFuture.failedFuture(
          MemSpaceException.invalid("reason", reason, "1 to " + REASON_CHARS_MAX + " characters"));
    }
    return owned(caller, space)
        .thenCompose(
            id ->
                spaces
                    .node()
                    .reader(id)
                    .exact(SpaceRows.ref(key), revision)
                    .thenCompose(
                        version -> {
                          if (version.isEmpty() || version.get().deleted()) {
                            throw new MemSpaceException(
                                ErrorCode.ENTRY_NOT_FOUND,
                                "revision [%d] wrote nothing at [%s] that could be read"
                                    .formatted(revision, key));
                          }
                          return quarantine.change(id, caller, key, revision, reason);
                        }));
  }

  @Override
  public CompletionStage<Void> release(
      Principal caller, String space, EntryKey key, long revision) {
    return owned(caller, space)
        .thenCompose(id -> quarantine.change(id, caller, key, revision, null));
  }

  @Override
  public CompletionStage<List<Quarantined>> quarantined(Principal caller, String space) {
    return owned(caller, space)
        .thenCompose(id -> new LedgerReader(spaces.node().store(), id).state())
        .thenApply(
            state ->
                rules(state).quarantined().stream()
                    .map(
                        each ->
                            new Quarantined(
                                new EntryKey(Region.ofLabel(each.region()), each.key()),
                                each.revision(),
                                each.by(),
                                each.reason(),
                                Instant.ofEpochMilli(each.at())))
                    .toList());
  }

  private static ReadRules rules(TreeMap<StateKey, Bytes> state) {
    return KeepingChanges.rules(
        table ->
            state.subMap(
                new StateKey(table, Bytes.EMPTY), new StateKey((byte) (table + 1), Bytes.EMPTY)));
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
              return new LedgerReader(spaces.node().store(), id)
                  .state()
                  .thenCompose(
                      state -> {
                        // what is in quarantine travels, and its row with it
                        ReadRules hidden = rules(state).withQuarantined();
                        return transfer.export(id, at.orElse(newest), from, hidden::show);
                      });
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
