package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.Props;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.ForkRequest;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.OperationRun;
import io.nucleusmem.memspace.OperationTask;
import io.nucleusmem.memspace.Operations;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.receipts.Began;
import io.nucleusmem.receipts.RerunSource;
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
              return scratches(caller, agent, tapes, fork)
                  .thenCompose(
                      scratches ->
                          operations.start(
                              caller,
                              KIND,
                              arguments(agent, from, until, without, scratches),
                              about(agent, scratches)));
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
        each ->
            away.add(
                Map.of("space", each.space(), "key", each.key(), "revision", each.revision())));
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

  // ---- where it writes ----

  /** Forks of what the agent could write, by the name of the space. */
  private CompletionStage<Map<String, String>> scratches(
      Principal caller, String agent, List<Tape> tapes, Optional<String> fork) {
    Set<String> writable = new java.util.LinkedHashSet<>();
    for (Tape tape : tapes) {
      tape.mounts().stream()
          .filter(mount -> !mount.access().equals("read_only"))
          .forEach(mount -> writable.add(mount.space()));
    }
    Instant at = tapes.get(0).inputs().get(0).at();
    return existing(caller, fork)
        .thenCompose(
            there -> {
              Map<String, String> scratches = new LinkedHashMap<>();
              there.ifPresent(
                  base -> {
                    if (!writable.contains(base)) {
                      throw MemSpaceException.invalid(
                          "fork", fork.get(), "a fork of one of " + writable);
                    }
                    scratches.put(base, fork.get());
                  });
              CompletionStage<Void> made = CompletableFuture.completedStage(null);
              String stem =
                  there.isEmpty() && fork.isPresent()
                      ? fork.get()
                      : "rerun-%s-%x".formatted(agent, System.currentTimeMillis());
              for (String space : writable) {
                if (!scratches.containsKey(space)) {
                  String name = scratches.isEmpty() ? stem : stem + "." + scratches.size();
                  scratches.put(space, name);
                  made = made.thenCompose(done -> fork(caller, space, name, at));
                }
              }
              return made.thenApply(done -> scratches);
            });
  }

  private CompletionStage<Void> fork(Principal caller, String space, String name, Instant at) {
    return node.spaces()
        .forks()
        .fork(caller, new ForkRequest(space, name, ReadAt.instant(at)), WriteOptions.DEFAULT)
        .thenApply((CreatedSpace made) -> null);
  }

  /** The base of the fork, if it is there already. */
  private CompletionStage<Optional<String>> existing(Principal caller, Optional<String> fork) {
    if (fork.isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    MemSpaces spaces = node.spaces();
    return spaces
        .describe(caller, fork.get())
        .handle(
            (info, failure) -> {
              if (failure == null) {
                return Optional.of(
                    info.base()
                        .orElseThrow(
                            () ->
                                MemSpaceException.invalid(
                                    "fork", fork.get(), "a space that is a fork"))
                        .space());
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof MemSpaceException known
                  && known.code() == ErrorCode.SPACE_NOT_FOUND) {
                return Optional.<String>empty();
              }
              throw new CompletionException(cause);
            });
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
              return first;
            })
        .thenApply(divergence -> result(run, inputs.get(), divergence));
  }

  private static Map<String, Object> result(
      OperationRun run, long inputs, Optional<Tape.Divergence> divergence) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("inputs", inputs);
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
        .thenCompose(done -> feed(tape, context, 0, run, inputs))
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
    long next = at + 1 < tape.inputs().size() ? tape.inputs().get(at + 1).seq() : Long.MAX_VALUE;
    tape.begins(input);
    return give(input, context)
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof Crashed) {
                if (next != Long.MAX_VALUE) { // else it may have ended there then too
                  tape.diverged(cause.getMessage());
                }
                return CompletableFuture.completedStage(null);
              }
              if (cause != null) {
                return CompletableFuture.<Void>failedStage(cause);
              }
              tape.ended(input, next);
              run.progress("inputs", inputs.incrementAndGet());
              return feed(tape, context, at + 1, run, inputs);
            });
  }

  private <M> CompletionStage<Void> give(Tape.Input input, SandboxContext<M> context) {
    if (input.isTimer()) {
      return context.timer(input);
    }
    return input.version().topic()
        ? source
            .message(input)
            .thenCompose(message -> context.message(input, message.orElseThrow(() -> gone(input))))
        : source
            .entry(input)
            .thenCompose(entry -> context.signal(input, entry.orElseThrow(() -> gone(input))));
  }

  private static MemSpaceException gone(Tape.Input input) {
    return new MemSpaceException(
        ErrorCode.COMPACTED,
        "input [%s] of space [%s] at revision [%d] can't be read any more; leave it away by [without], or begin behind it"
            .formatted(input.version().key(), input.space(), input.version().revision()));
  }
}
