package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.Props;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.OperationRun;
import io.nucleusmem.memspace.OperationTask;
import io.nucleusmem.memspace.Operations;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.Began;
import io.nucleusmem.receipts.Containment;
import io.nucleusmem.receipts.RerunSource;
import io.nucleusmem.receipts.SeenVersion;
import io.nucleusmem.receipts.Tape;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/** Runs agents again, on one node. */
final class RerunsClient implements Reruns, OperationTask {
  private static final String KIND = "rerun";
  private static final Set<ErrorCode> GONE =
      Set.of(
          ErrorCode.ERASED,
          ErrorCode.QUARANTINED,
          ErrorCode.COMPACTED,
          ErrorCode.SPACE_NOT_FOUND,
          ErrorCode.TOPIC_NOT_FOUND);
  private static final int NOT_REPEATED_MAX = 1_000; // told of one rerun

  private final ActorSystem<?> system;
  private final AgentNode node;
  private final RerunSource source;
  private final Operations operations;
  private final AtomicLong actors = new AtomicLong();

  RerunsClient(ActorSystem<?> system, AgentNode node, RerunSource source, Operations operations) {
    this.system = system;
    this.node = node;
    this.source = source;
    this.operations = operations;
    operations.register(KIND, this);
  }

  /** What is under way on a node that dies is told as failed: its scratch fork is half written. */
  @Override
  public boolean isResumable() {
    return false;
  }

  @Override
  public CompletionStage<OperationInfo> rerun(
      Principal caller,
      String agent,
      Instant from,
      Instant until,
      Optional<String> fork,
      Set<Tape.Without> without) {
    return node.receipts()
        .flush() // what agents of this node wrote a moment ago is on the tape too
        .thenCompose(done -> source.tapes(caller, agent, from, until, without))
        .thenCompose(
            tapes -> {
              tapes.forEach(this::requireType);
              Scratches scratches =
                  new Scratches(node.spaces(), NucleusMem.get(system).system()::revisionAt, caller);
              return scratches
                  .of(agent, tapes, fork)
                  .thenCompose(
                      there ->
                          operations.start(
                              caller,
                              KIND,
                              arguments(agent, from, until, without, there),
                              about(agent, there)))
                  .exceptionallyCompose(scratches::undo);
            });
  }

  private void requireType(Tape tape) {
    if (!node.types().containsKey(tape.type())) {
      throw new MemSpaceException(
          ErrorCode.UNKNOWN_AGENT_TYPE,
          "this node has no agents of type [%s]; it has %s"
              .formatted(tape.type(), node.types().keySet()),
          Map.of("value", tape.type(), "accepted", List.copyOf(node.types().keySet())));
    }
  }

  private static Map<String, Object> arguments(
      String agent,
      Instant from,
      Instant until,
      Set<Tape.Without> without,
      Map<String, String> scratches) {
    List<Map<String, Object>> away = new ArrayList<>();
    without.forEach(
        each -> {
          Map<String, Object> one = new HashMap<>();
          one.put("space", each.space());
          each.region().ifPresent(region -> one.put("region", region.label()));
          one.put("key", each.key());
          one.put("revision", each.revision());
          away.add(one);
        });
    return Map.of(
        "agent", agent,
        "from", from.toString(),
        "until", until.toString(),
        "without", away,
        "scratches", scratches);
  }

  private static Map<String, Object> about(String agent, Map<String, String> scratches) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("agent", agent);
    scratches.values().stream().findFirst().ifPresent(first -> about.put("scratch", first));
    if (scratches.size() > 1) {
      about.put("scratches", scratches);
    }
    return about;
  }

  // ---- running ----

  @Override
  public CompletionStage<Map<String, Object>> run(OperationRun run) {
    Map<String, Object> arguments = run.arguments();
    String agent = (String) arguments.get("agent");
    Set<Tape.Without> without = new HashSet<>();
    for (Object each : (List<?>) arguments.get("without")) {
      Map<?, ?> away = (Map<?, ?>) each;
      without.add(
          new Tape.Without(
              (String) away.get("space"),
              Optional.ofNullable((String) away.get("region")).map(Region::ofLabel),
              (String) away.get("key"),
              ((Number) away.get("revision")).longValue()));
    }
    Map<String, MountedSpace> scratches = new HashMap<>();
    CompletionStage<Void> opened = CompletableFuture.completedStage(null);
    for (Map.Entry<?, ?> each : ((Map<?, ?>) arguments.get("scratches")).entrySet()) {
      opened =
          opened.thenCombine(
              node.spaces().openOnly(run.caller(), (String) each.getValue()),
              (none, space) -> {
                scratches.put((String) each.getKey(), space);
                return null;
              });
    }
    AtomicLong inputs = new AtomicLong();
    return opened
        .thenCompose(
            done ->
                source.tapes(
                    run.caller(),
                    agent,
                    Instant.parse((String) arguments.get("from")),
                    Instant.parse((String) arguments.get("until")),
                    without))
        .thenCompose(
            tapes -> {
              CompletionStage<Optional<Tape.Divergence>> first =
                  CompletableFuture.completedStage(Optional.empty());
              for (Tape tape : tapes) {
                first =
                    first.thenCompose(
                        before ->
                            play(agent, tape, scratches, run, inputs)
                                .thenApply(done -> before.or(tape::divergence)));
              }
              return first.thenApply(divergence -> result(run, inputs.get(), tapes, divergence));
            });
  }

  private static Map<String, Object> result(
      OperationRun run, long inputs, List<Tape> tapes, Optional<Tape.Divergence> divergence) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("inputs", inputs);
    List<Map<String, Object>> missing = new ArrayList<>();
    tapes.forEach(tape -> tape.notRepeated().forEach(each -> missing.add(named(each))));
    result.put("not_repeated", missing.subList(0, Math.min(missing.size(), NOT_REPEATED_MAX)));
    if (missing.size() > NOT_REPEATED_MAX) {
      result.put("not_repeated_more", missing.size() - NOT_REPEATED_MAX);
    }
    divergence.ifPresent(
        found -> {
          Map<String, Object> at = new LinkedHashMap<>();
          Tape.Input input = found.input();
          if (input != null) {
            at.put("seq", input.seq());
            at.put("at", input.at().toString());
            if (input.isTimer()) {
              at.put("timer", input.watch());
            } else {
              at.put("space", input.space());
              at.put("key", input.version().key());
              at.put("revision", input.version().revision());
            }
          }
          at.put("how", found.how());
          run.about("diverged_at", at);
          result.put("diverged_at", at);
        });
    return result;
  }

  /** As {@code without} takes it. */
  private static Map<String, Object> named(Containment.Version made) {
    SeenVersion version = made.version();
    return Map.of(
        "space", made.space(),
        "region", version.region().label(),
        "key", version.key(),
        "revision", version.revision());
  }

  private CompletionStage<Void> play(
      String agent,
      Tape tape,
      Map<String, MountedSpace> scratches,
      OperationRun run,
      AtomicLong inputs) {
    Map<String, MountedSpace> spaces = new HashMap<>();
    for (Began.Mounted mounted : tape.mounts()) {
      spaces.put(
          mounted.space(),
          source.space(agent, tape, mounted, Optional.ofNullable(scratches.get(mounted.space()))));
    }
    return play(agent, tape, node.types().get(tape.type()), spaces, run, inputs);
  }

  private <M> CompletionStage<Void> play(
      String agent,
      Tape tape,
      AgentType<M> type,
      Map<String, MountedSpace> spaces,
      OperationRun run,
      AtomicLong inputs) {
    SandboxContext<M> context =
        new SandboxContext<>(agent, tape, type, node.settings().space(), spaces);
    CompletableFuture<Void> begun = new CompletableFuture<>();
    ActorRef<Stop> parent =
        system.systemActorOf(
            sandbox(type, context, begun),
            "nucleusmem-rerun-" + actors.incrementAndGet(),
            Props.empty());
    return begun
        .thenCompose(done -> context.begun())
        .thenCompose(done -> feed(tape, context, 0, run, inputs))
        .thenAccept(done -> tape.ended())
        .whenComplete((done, failure) -> parent.tell(new Stop()));
  }

  private record Stop() {}

  /** The behavior under test has ended. */
  private static final class Crashed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Crashed(String why) {
      super(why, null, false, false);
    }
  }

  /** Holds the behavior, and tells of its end. */
  private static <M> Behavior<Stop> sandbox(
      AgentType<M> type, SandboxContext<M> context, CompletableFuture<Void> begun) {
    return Behaviors.setup(
        parent -> {
          Behavior<M> author =
              Behaviors.setup(
                  actor -> {
                    context.bind(actor);
                    Behavior<M> behavior = type.behavior().apply(context);
                    begun.complete(null);
                    return behavior;
                  });
          ActorRef<Object> child =
              parent.spawnAnonymous(
                  Behaviors.intercept(() -> new MailInterceptor<>(type.messages()), author));
          parent.watch(child);
          return Behaviors.receive(Stop.class)
              .onMessage(Stop.class, stop -> Behaviors.stopped())
              .onSignal(ChildFailed.class, failed -> end(context, begun, failed.getCause()))
              .onSignal(Terminated.class, ended -> end(context, begun, null))
              .build();
        });
  }

  private static Behavior<Stop> end(
      SandboxContext<?> context, CompletableFuture<Void> begun, Throwable failure) {
    Crashed why =
        new Crashed(failure == null ? "the behavior stopped" : "the behavior crashed: " + failure);
    begun.completeExceptionally(why);
    context.ended(why);
    return Behaviors.same();
  }

  private <M> CompletionStage<Void> feed(
      Tape tape, SandboxContext<M> context, int at, OperationRun run, AtomicLong inputs) {
    if (at == tape.inputs().size() || run.isStopped()) {
      return CompletableFuture.completedStage(null);
    }
    Tape.Input input = tape.inputs().get(at);
    tape.begins(input);
    return give(input, context)
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof Crashed) {
                if (at + 1 < tape.inputs().size()) { // else it may have ended there then too
                  tape.diverged(cause.getMessage());
                }
                return CompletableFuture.completedStage(null);
              }
              if (cause != null) {
                return CompletableFuture.<Void>failedStage(cause);
              }
              run.progress("inputs", inputs.incrementAndGet());
              return feed(tape, context, at + 1, run, inputs);
            });
  }

  private <M> CompletionStage<Void> give(Tape.Input input, SandboxContext<M> context) {
    if (input.isTimer()) {
      return context.timer(input);
    }
    return input.version().topic()
        ? readable(input, source.message(input))
            .thenCompose(message -> context.message(input, message))
        : readable(input, source.entry(input)).thenCompose(entry -> context.signal(input, entry));
  }

  private static <T> CompletionStage<T> readable(
      Tape.Input input, CompletionStage<Optional<T>> read) {
    return read.handle(
        (found, failure) -> {
          if (failure == null) {
            return found.orElseThrow(() -> unreadable(input, ErrorCode.COMPACTED));
          }
          Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
          if (cause instanceof MemSpaceException why && GONE.contains(why.code())) {
            throw unreadable(input, why.code());
          }
          throw new CompletionException(cause);
        });
  }

  private static MemSpaceException unreadable(Tape.Input input, ErrorCode code) {
    return new MemSpaceException(
        code,
        "input [%s] of space [%s] at revision [%d] can't be read any more: %s; leave it away by [without], or begin behind it"
            .formatted(
                input.version().key(), input.space(), input.version().revision(), code.label()));
  }
}
