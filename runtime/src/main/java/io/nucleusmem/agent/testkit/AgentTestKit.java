package io.nucleusmem.agent.testkit;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.SpawnProtocol;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentInfo;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentSystem;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import io.nucleusmem.node.NodeConfig;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * One agent on a real node, for its author's tests: the runtime, spaces and mounts are those of
 * production, the store is in memory, and nothing has to be installed or configured.
 *
 * <pre>{@code
 * try (AgentTestKit kit = AgentTestKit.start(Greeter.TYPE, AgentMount.of("guests", READ_WRITE))) {
 *   kit.send("Anna");
 *   assertThat(kit.received().content().text()).isEqualTo("hello, Anna");
 * }
 * }</pre>
 *
 * <p>The test is an agent too, named {@link #TEST}: it can be answered, and {@link #peer} makes
 * others that the agent writes to. Every method waits for what it does, at most {@link #WAIT_MAX};
 * then it fails with {@link AssertionError}, which tells how the agent is doing.
 *
 * <p>There is no HTTP. Akka's cluster of one listens on a free port of the loopback interface.
 */
public final class AgentTestKit implements AutoCloseable {
  /** Longest wait for anything. */
  public static final Duration WAIT_MAX = Duration.ofSeconds(20);

  /** The agent that the test is. */
  public static final String TEST = "test";

  private static final Principal AUTHOR = Principal.of("author");
  private static final String PEER_TYPE = "test-peer";
  private static final Duration POLL_INTERVAL = Duration.ofMillis(5);
  private static final int FOUND_MAX = 1_000; // what one wait can look at

  private static final Map<String, Object> CONFIG =
      Map.of(
          "akka.loglevel", "WARNING",
          "akka.cluster.jmx.enabled", "off",
          "akka.coordinated-shutdown.run-by-actor-system-terminate", "off",
          "akka.coordinated-shutdown.run-by-jvm-shutdown-hook", "off",
          "nucleusmem.agents.restart-backoff-min", "10ms",
          // only an orderly end saves them: so what a crash brings again does not depend on time
          "nucleusmem.agents.cursor-save-interval", "1h",
          "nucleusmem.agents.cursor-save-signals", 1_000_000);

  private final AgentType<?> type;
  private final KvStore store = new MemoryStore(StoreScope.ALL);
  private final Map<String, TestPeer> peers = new ConcurrentHashMap<>();
  private final Map<String, MountedSpace> mounts = new LinkedHashMap<>();
  private final Life<AgentContext<?>> life = new Life<>();
  private ActorSystem<SpawnProtocol.Command> system;
  private Agents agents;

  private AgentTestKit(AgentType<?> type) {
    this.type = observed(type);
  }

  /** Starts an agent of the type, named like it. Its spaces are made. */
  public static AgentTestKit start(AgentType<?> type, AgentMount... mounts) {
    return start(type, Map.of(), mounts);
  }

  /** The same with a configuration. */
  public static AgentTestKit start(
      AgentType<?> type, Map<String, String> config, AgentMount... mounts) {
    AgentTestKit kit = new AgentTestKit(type);
    try {
      kit.startNode();
      kit.peer(TEST);
      for (AgentMount mount : mounts) {
        kit.makeSpace(mount.space());
      }
      kit.await(
          kit.agents.spawn(AUTHOR, AgentSpec.of(type.name(), kit.id(), mounts).config(config)));
      return kit;
    } catch (RuntimeException | Error e) {
      kit.close();
      throw e;
    }
  }

  /** The same type, but its lives are seen here. */
  private <M> AgentType<M> observed(AgentType<M> authors) {
    return new AgentType<>(
        authors.name(),
        authors.messages(),
        context -> {
          life.begins(context);
          return authors.behavior().apply(context);
        },
        authors.inbox());
  }

  private void startNode() {
    AgentType<TestPeer.Told> peerType =
        AgentType.of(
                PEER_TYPE, TestPeer.Told.class, context -> peers.get(context.id()).begin(context))
            .inbox(TestPeer.Told::new);
    List<AgentType<?>> types = List.of(type, peerType);
    ActorSystemSetup setup =
        ActorSystemSetup.create(
            BootstrapSetup.create(
                AgentSystem.withRoles(NodeConfig.load(Optional.empty(), CONFIG), types)),
            StoreSetup.borrowed(store));
    system = ActorSystem.create(SpawnProtocol.create(), "agent-test", setup);
    Cluster cluster = Cluster.get(system);
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    agents = await(AgentSystem.start(system, spaces(), types, Optional.empty()));
  }

  // ---- the agent ----

  /** The agent's id. */
  public String id() {
    return type.name();
  }

  /** How the agent is doing. */
  public AgentInfo info() {
    return await(agents.describe(AUTHOR, id()));
  }

  /** All agents of the node, to spawn, stop, scale and switch. */
  public Agents agents() {
    return agents;
  }

  /**
   * Crashes the behavior, after what it is handling, and waits until it has started again. No
   * message is lost by this.
   */
  public void crash() {
    int before = info().restarts();
    AgentContext<?> context = await(life.current());
    life.ends();
    crash(context);
    until(
        "agent [%s] to start again".formatted(id()),
        () -> agents.describe(AUTHOR, id()),
        info -> info.restarts() > before && info.state() == AgentInfo.State.RUNNING);
  }

  private static <M> void crash(AgentContext<M> context) {
    context.pipe(
        CompletableFuture.completedFuture(null),
        (none, failure) -> {
          throw new IllegalStateException("crashed by its test");
        });
  }

  /**
   * Ends the node as a power failure does, with nothing handed over, and starts another on what was
   * committed. What the agent has handled since its node began comes again, marked as redelivered:
   * the worst that a crash can do.
   */
  public void crashNode() {
    end();
    mounts.clear();
    life.ends();
    peers.values().forEach(TestPeer::nodeEnds);
    startNode();
    until(
        "agent [%s] to start again".formatted(id()),
        () -> agents.describe(AUTHOR, id()),
        info -> info.state() == AgentInfo.State.RUNNING);
  }

  // ---- messages ----

  /** Writes text into the agent's inbox. */
  public Published send(String text) {
    return send(Content.text(text));
  }

  /** Writes into the agent's inbox. */
  public Published send(Content content) {
    return peer(TEST).send(content);
  }

  /** The next message that came to the test, such as an answer. */
  public Message received() {
    return peer(TEST).received();
  }

  /** Another agent, for the one under test to write to; spawned by the first call. */
  public TestPeer peer(String peerId) {
    TestPeer peer = peers.get(peerId);
    if (peer == null) {
      peer = new TestPeer(this, peerId);
      peers.put(peerId, peer);
      await(agents.spawn(AUTHOR, AgentSpec.of(PEER_TYPE, peerId)));
    }
    return peer;
  }

  // ---- memory ----

  /** The node's actor system. */
  public ActorSystem<?> system() {
    return system;
  }

  /** The client of spaces. */
  public MemSpaces spaces() {
    return NucleusMem.get(system).spaces();
  }

  /** The test's own mount of a space: all of it, to read and write. */
  public MountedSpace space(String name) {
    MountedSpace mount = mounts.get(name);
    if (mount == null) {
      mount =
          await(spaces().mount(AUTHOR, name, MountRequest.of(AUTHOR.name(), Access.READ_WRITE)));
      mounts.put(name, mount);
    }
    return mount;
  }

  /** Makes a shared space that the agent has not mounted; harmless if it is there. */
  public MountedSpace makeSpace(String name) {
    if (!mounts.containsKey(name)) {
      await(spaces().create(AUTHOR, CreateSpace.shared(name), WriteOptions.DEFAULT));
    }
    return space(name);
  }

  /** Writes text. */
  public Written put(String space, String key, String text) {
    return await(space(space).put(EntryKey.of(key), Content.text(text)));
  }

  /** Publishes text to everybody. */
  public Published publish(String space, String topic, String text) {
    return await(space(space).topic(topic).publish(Content.text(text)));
  }

  /** Waits until there are so many entries below a prefix; by name, at most 1,000. */
  public List<Entry> entries(String space, EntryKey prefix, int count) {
    ScanRequest below = ScanRequest.of(prefix.region(), prefix.name()).limit(FOUND_MAX);
    return until(
            "[%d] entries below [%s] of space [%s]".formatted(count, prefix, space),
            () -> space(space).scan(below),
            page -> page.items().size() >= count)
        .items();
  }

  /** Waits until a topic has so many messages; in order, at most 1,000. */
  public List<Message> messages(String space, String topic, int count) {
    MessageRange all = MessageRange.all();
    MessageRange range =
        new MessageRange(
            all.from(), all.until(), all.direction(), all.values(), FOUND_MAX, all.cursor());
    return until(
            "[%d] messages in topic [%s] of space [%s]".formatted(count, topic, space),
            () -> space(space).topic(topic).fetch(range),
            page -> page.items().size() >= count)
        .items();
  }

  // ---- waiting ----

  /** Waits for a stage; what it fails with is thrown as it is. */
  public <T> T await(CompletionStage<T> stage) {
    try {
      return stage
          .toCompletableFuture()
          .copy() // the time-out is ours, not that of others who wait
          .orTimeout(WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS)
          .join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof TimeoutException) {
        throw new AssertionError("waited [%s] in vain".formatted(WAIT_MAX), e);
      }
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** Asks again and again until the answer is as wanted; gives that answer. */
  public <T> T until(String what, Supplier<CompletionStage<T>> question, Predicate<T> wanted) {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    T answer = await(question.get());
    while (!wanted.test(answer)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "waited [%s] for %s; found [%s]; the agent is %s"
                .formatted(WAIT_MAX, what, answer, info()));
      }
      LockSupport.parkNanos(POLL_INTERVAL.toNanos());
      answer = await(question.get());
    }
    return answer;
  }

  /** Ends the node. What was in its memory is gone. */
  @Override
  public void close() {
    if (system != null) {
      end();
    }
  }

  private void end() {
    system.terminate();
    await(system.getWhenTerminated());
  }
}
