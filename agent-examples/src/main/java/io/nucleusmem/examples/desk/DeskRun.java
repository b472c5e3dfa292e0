package io.nucleusmem.examples.desk;

import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.examples.desk.Desk.Intake;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One run of the desk, as its user sees it: makes the space and the agents if they are not there,
 * orders the work, tells what happens while it happens, adds analysts once there is work for them,
 * and ends when the editor has written the digest that completes this run.
 *
 * <p>It decides nothing: all it knows it reads from the space, as anybody else could.
 */
final class DeskRun implements AutoCloseable {

  /** What a run came to. */
  record Outcome(Intake intake, String digest, int results, int revised, List<String> leftOut) {}

  private static final int LEFT_OUT_MAX = 50;
  private static final int SCALE_AT_DOCUMENTS = 2;

  private final MemSpaces spaces;
  private final Agents agents;
  private final Consumer<String> out;
  private final int analysts;
  private final CompletableFuture<String> complete = new CompletableFuture<>();
  private final AtomicBoolean scaled = new AtomicBoolean();
  private final AtomicInteger documents = new AtomicInteger();
  private final AtomicInteger results = new AtomicInteger();
  private final AtomicInteger revised = new AtomicInteger();
  private final List<Watch> watches = new ArrayList<>();
  private volatile Intake intake;

  /**
   * A desk.
   *
   * @param analysts how many there are to be once there is work for them
   * @param out takes a line for each thing that happens
   */
  DeskRun(MemSpaces spaces, Agents agents, int analysts, Consumer<String> out) {
    this.spaces = spaces;
    this.agents = agents;
    this.analysts = analysts;
    this.out = out;
  }

  /** The types of agents that a node of the desk hosts. */
  static List<AgentType<?>> types(DeskSettings settings, Optional<Summarizer> summarizer) {
    return List.of(
        Reader.type(),
        Analyst.type(settings, new Analysis(summarizer)),
        Critic.type(settings),
        Editor.type(settings));
  }

  /** Carries out an order; blocks until the digest is complete. */
  Outcome carryOut(Order order) {
    MountedSpace space = openSpace();
    follow(space, order.run());
    spawnAgents();
    Calls.await(space.put(Desk.ORDER, Desk.json(order)));
    String digest = complete.join();
    return new Outcome(intake, digest, results.get(), revised.get(), leftOut(space));
  }

  /** What was left out, in this run or before; the first ones, a line each. */
  private static List<String> leftOut(MountedSpace space) {
    Paged<Entry> found =
        Calls.await(space.scan(ScanRequest.of(Region.SUMMARY, Desk.LEFT_OUT).limit(LEFT_OUT_MAX)));
    var lines = new ArrayList<String>();
    for (Entry entry : found.items()) {
      String path = entry.key().name().substring(Desk.LEFT_OUT.length());
      lines.add(Conversation.oneLine(path) + ", " + entry.text());
    }
    if (found.next().isPresent()) {
      lines.add("… and others, see the digest");
    }
    return lines;
  }

  /** The failure of a running desk, such as its node's end. */
  void fail(RuntimeException reason) {
    complete.completeExceptionally(reason);
  }

  private MountedSpace openSpace() {
    try {
      Calls.await(
          spaces.create(Principal.LOCAL, CreateSpace.shared(Desk.SPACE), WriteOptions.DEFAULT));
    } catch (MemSpaceException e) {
      if (e.code() != ErrorCode.SPACE_EXISTS) {
        throw e;
      }
    }
    try {
      return Calls.await(spaces.openOnly(Principal.LOCAL, Desk.SPACE));
    } catch (MemSpaceException e) {
      if (e.code() != ErrorCode.MOUNT_REQUIRED) {
        throw e;
      }
      return Calls.await(
          spaces.mount(
              Principal.LOCAL,
              Desk.SPACE,
              MountRequest.of(Principal.LOCAL.name(), Access.READ_WRITE)));
    }
  }

  // ---- agents ----

  private void spawnAgents() {
    spawn(Desk.READER);
    spawn(Desk.CRITIC);
    spawn(Desk.EDITOR);
    long there =
        Calls.await(agents.list(Principal.LOCAL, 1_000, Optional.empty())).items().stream()
            .filter(agent -> agent.type().equals(Desk.ANALYST))
            .count();
    if (there == 0) {
      scale(1);
    } else if (there >= analysts) {
      scaled.set(true);
      scale(analysts);
    }
    String word = there == 0 ? "starts with" : "goes on with";
    say(
        "%s reader, critic, editor and %d analyst(s)"
            .formatted(word, Math.max(1, Math.min(there, analysts))));
  }

  private void spawn(String type) {
    try {
      Calls.await(
          agents.spawn(
              Principal.LOCAL,
              AgentSpec.of(type, type, AgentMount.of(Desk.SPACE, Access.READ_WRITE))));
    } catch (MemSpaceException e) {
      if (e.code() != ErrorCode.AGENT_EXISTS) {
        throw e;
      }
    }
  }

  private CompletionStage<?> scaling(int instances) {
    return agents.scale(
        Principal.LOCAL,
        Desk.ANALYST,
        instances,
        List.of(AgentMount.of(Desk.SPACE, Access.READ_WRITE)),
        Map.of());
  }

  private void scale(int instances) {
    Calls.await(scaling(instances));
  }

  /**
   * Adds the other analysts while the first one works; called from a watch, so it does not wait.
   */
  private void scaleUp(String why) {
    if (analysts > 1 && scaled.compareAndSet(false, true)) {
      scaling(analysts)
          .whenComplete(
              (done, failure) ->
                  say(
                      failure == null
                          ? "%d analysts from now on: %s".formatted(analysts, why)
                          : "cannot add analysts, goes on without: " + failure.getMessage()));
    }
  }

  // ---- what happens ----

  private void follow(MountedSpace space, String run) {
    var all = new WatchRequest(Optional.empty(), "", OptionalLong.empty(), true);
    watches.add(Calls.await(space.watch(all, event -> onSpace(space, run, event))));
    for (String name : List.of(Desk.WORK_TOPIC, Desk.REVIEW_TOPIC)) {
      Calls.await(space.createTopic(name));
      MountedTopic topic = space.topic(name);
      watches.add(
          Calls.await(
              topic.watch(
                  OptionalLong.empty(), Optional.empty(), true, event -> onTopic(name, event))));
    }
  }

  private CompletionStage<?> onSpace(MountedSpace space, String run, WatchEvent event) {
    CompletionStage<?> done = CompletableFuture.completedFuture(null);
    if (event instanceof WatchEvent.Signals signals) {
      for (Signal signal : signals.signals()) {
        done =
            done.thenCompose(before -> content(space, signal))
                .thenAccept(content -> onChange(run, signal, content));
      }
    } else if (event instanceof WatchEvent.Ended ended) {
      fail(ended.reason());
    }
    return done.whenComplete(
        (ok, failure) -> {
          if (failure != null) {
            complete.completeExceptionally(failure);
          }
        });
  }

  /** The content that travelled with the signal, or exactly the version that it names. */
  static CompletionStage<Optional<Content>> content(MountedSpace space, Signal signal) {
    return signal.content().isPresent() || !Conversation.wantsContent(signal)
        ? CompletableFuture.completedFuture(signal.content())
        : space.pull(signal.key(), signal.revision()).thenApply(e -> e.map(Entry::content));
  }

  private void onChange(String run, Signal signal, Optional<Content> content) {
    Conversation.of(signal, content).ifPresent(line -> out.accept(line.inShort()));
    if (content.isEmpty() || signal.deleted()) {
      return;
    }
    String name = signal.key().name();
    if (name.startsWith(Desk.DOCUMENTS) && documents.incrementAndGet() == SCALE_AT_DOCUMENTS) {
      scaleUp("documents are waiting");
    } else if (name.startsWith(Desk.RESULTS)) {
      results.incrementAndGet();
      revised.addAndGet(Desk.read(content.get(), Result.class).round() > 1 ? 1 : 0);
    } else if (signal.key().equals(Desk.INTAKE)) {
      onIntake(run, Desk.read(content.get(), Intake.class));
    } else if (signal.key().equals(Desk.DIGEST)
        && content.get().metadata().getOrDefault(Desk.COMPLETE, "").equals(run)) {
      complete.complete(content.get().text());
    }
  }

  private void onIntake(String run, Intake read) {
    if (!read.run().equals(run)) {
      return;
    }
    intake = read;
    if (!read.problem().isEmpty()) {
      fail(
          new DeskFailure(
              "folder [%s] cannot be read: %s".formatted(read.folder(), read.problem())));
    }
  }

  private CompletionStage<?> onTopic(String topic, WatchEvent event) {
    if (event instanceof WatchEvent.Signals signals) {
      for (Signal signal : signals.signals()) {
        signal
            .content()
            .flatMap(content -> Conversation.of(message(topic, signal, content)))
            .ifPresent(line -> out.accept(line.inShort()));
      }
    }
    return CompletableFuture.completedFuture(null);
  }

  private static Message message(String topic, Signal signal, Content content) {
    return new Message(
        Message.id(topic, signal.timestamp(), signal.author()),
        topic,
        signal.revision(),
        signal.timestamp(),
        signal.author(),
        signal.to(),
        content);
  }

  private void say(String text) {
    out.accept("              desk          " + text);
  }

  @Override
  public void close() {
    watches.forEach(Watch::close);
  }
}
