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
import io.nucleusmem.receipts.Failures;
import io.nucleusmem.receipts.RerunSource;
import io.nucleusmem.receipts.SeenVersion;
import io.nucleusmem.receipts.Tape;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/** Runs agents again, on one node. */
final class RerunsClient implements Reruns, OperationTask {
  private static final String KIND = "rerun";
  private static final int NOT_REPEATED_MAX = 1_000; // told of one rerun
  private static final int NOT_PLAYED_MAX = 100;

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
    List<Map<String, Object>> gaps = new ArrayList<>();
    for (Tape tape : tapes) {
      for (Tape.Gap gap : tape.gaps()) {
        Map<String, Object> at = place(gap.step());
        at.put("what", gap.what());
        gaps.add(at);
      }
    }
    if (!gaps.isEmpty()) {
      result.put("not_played", gaps.subList(0, Math.min(gaps.size(), NOT_PLAYED_MAX)));
    }
    divergence.ifPresent(
        found -> {
          Map<String, Object> at = place(found.step());
          at.put("how", found.how());
          run.about("diverged_at", at);
          result.put("diverged_at", at);
        });
    return result;
  }

  /** Where in a life something is; nothing where it begins. */
  private static Map<String, Object> place(Tape.Step step) {
    Map<String, Object> at = new LinkedHashMap<>();
    if (step == null) {
      return at;
    }
    at.put("seq", step.seq());
    at.put("at", step.at().toString());
    if (step instanceof Tape.Input input && input.isTimer()) {
      at.put("timer", input.watch());
    } else if (step instanceof Tape.Input input) {
      put(at, input.space(), input.version());
    } else if (step instanceof Tape.Raw raw) {
      put(at, raw.space(), raw.versions().get(0));
    }
    return at;
  }

  private static void put(Map<String, Object> at, String space, SeenVersion version) {
    at.put("space", space);
    at.put("key", version.key());
    at.put("revision", version.revision());
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
        new SandboxContext<>(agent, tape, type, node.settings().space(), source, spaces);
    CompletableFuture<Void> begun = new CompletableFuture<>();
    ActorRef<Stop> parent =
        system.systemActorOf(
            sandbox(type, context, begun),
            "nucleusmem-rerun-" + actors.incrementAndGet(),
            Props.empty());
    return begun
        .thenCompose(done -> context.turns().begun())
        .thenCompose(done -> feed(tape, context, run, inputs))
        .thenCompose(done -> settled(spaces.values()))
        .thenAccept(done -> tape.ended())
        .whenComplete((done, failure) -> parent.tell(new Stop()));
  }

  private CompletionStage<Void> settled(Collection<MountedSpace> spaces) {
    return CompletableFuture.allOf(
        spaces.stream()
            .map(space -> source.settled(space).toCompletableFuture())
            .toArray(CompletableFuture<?>[]::new));
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
                    context.turns().bind(actor.getSystem(), context.self());
                    Behavior<M> behavior = type.behavior().apply(context);
                    begun.complete(null);
                    return behavior;
                  });
          ActorRef<Object> child =
              parent.spawnAnonymous(
                  Behaviors.intercept(
                      () -> new MailInterceptor<>(type.messages(), context.turns()), author));
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
    context.turns().ended(why);
    return Behaviors.same();
  }

  /** Gives all steps, one after the other. */
  private <M> CompletionStage<Void> feed(
      Tape tape, SandboxContext<M> context, OperationRun run, AtomicLong inputs) {
    CompletableFuture<Void> fed = new CompletableFuture<>();
    feed(tape, context, 0, run, inputs, fed);
    return fed;
  }

  private <M> void feed(
      Tape tape,
      SandboxContext<M> context,
      int from,
      OperationRun run,
      AtomicLong inputs,
      CompletableFuture<Void> fed) {
    int at = from;
    while (at < tape.steps().size() && !run.isStopped()) {
      Tape.Step step = tape.steps().get(at++);
      CompletableFuture<Void> given = context.give(step).toCompletableFuture();
      int next = at;
      if (!given.isDone()) {
        given.whenComplete(
            (done, failure) -> {
              if (goesOn(tape, step, failure, next, run, inputs, fed)) {
                feed(tape, context, next, run, inputs, fed);
              }
            });
        return;
      }
      // not by recursion: many steps may be over at once
      if (!goesOn(tape, step, failureOf(given), next, run, inputs, fed)) {
        return;
      }
    }
    context
        .turns()
        .rest()
        .whenComplete(
            (done, failure) -> goesOn(tape, null, failure, Integer.MAX_VALUE, run, inputs, fed));
  }

  private static Throwable failureOf(CompletableFuture<Void> done) {
    return done.handle((none, failure) -> failure).join();
  }

  /** False if the step was the last one, as {@code fed} then tells. */
  private static boolean goesOn(
      Tape tape,
      Tape.Step step,
      Throwable failure,
      int next,
      OperationRun run,
      AtomicLong inputs,
      CompletableFuture<Void> fed) {
    Throwable cause = Failures.unwrap(failure);
    if (cause instanceof Crashed) {
      boolean went = // on, then; what its own watches brought was no turn of the behavior
          tape.steps().stream().skip(next).anyMatch(each -> !(each instanceof Tape.Raw));
      if (went) {
        tape.diverged(cause.getMessage());
      }
      fed.complete(null);
      return false;
    }
    if (cause != null) {
      fed.completeExceptionally(cause);
      return false;
    }
    if (step == null) {
      if (tape.isEndedByItself()) {
        tape.diverged("it goes on where it had crashed or stopped");
      }
      fed.complete(null);
      return false;
    }
    if (step instanceof Tape.Input || step instanceof Tape.Raw) {
      run.progress("inputs", inputs.incrementAndGet());
    }
    return true;
  }
}
