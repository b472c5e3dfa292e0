package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityRef;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Spawn, stop, scale, describe and the persona switch, with crashes and failures in between. */
class AgentLifeTest {
  static final Principal ANNA = Principal.of("anna");

  record Told(AgentContext.Seen<Message> message) {}

  final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  final CountDownLatch begun = new CountDownLatch(1);
  final CountDownLatch open = new CountDownLatch(1);
  final AgentType<Told> type = AgentType.of("worker", Told.class, this::create).inbox(Told::new);
  final MemoryStore store = new MemoryStore(StoreScope.ALL);
  TestNode node;
  Agents agents;

  /** Tells what it is told, as TEXT; crashes on "crash", takes its time over "long". */
  Behavior<Told> create(AgentContext<Told> ctx) {
    return Behaviors.receiveMessage(
        told -> {
          String text = told.message().what().content().text();
          if (text.equals("crash")) {
            throw new IllegalStateException("as asked");
          }
          if (text.equals("long")) {
            begun.countDown();
            assertThat(open.await(60, TimeUnit.SECONDS)).isTrue();
          }
          seen.add(text);
          return Behaviors.same();
        });
  }

  @BeforeEach
  void begin() {
    start("", (call, argument) -> null);
  }

  @AfterEach
  void end() {
    node.close();
  }

  /**
   * Starts a node.
   *
   * @param answers by name of the method of {@link MemSpaces} and the space or mount asked for;
   *     null: what is really so
   */
  void start(String config, BiFunction<String, String, CompletionStage<?>> answers) {
    node = TestNode.start(store, "akka.cluster.roles = [agent-type-worker]\n" + config);
    MemSpaces real = node.spaces();
    MemSpaces spaces =
        (MemSpaces)
            Proxy.newProxyInstance(
                MemSpaces.class.getClassLoader(),
                new Class<?>[] {MemSpaces.class},
                (proxy, method, arguments) -> {
                  CompletionStage<?> answer =
                      answers.apply(method.getName(), String.valueOf(arguments[1]));
                  try {
                    return answer != null ? answer : method.invoke(real, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    agents = await(AgentSystem.start(node.system(), spaces, List.of(type), Optional.empty()));
  }

  void space(String name) {
    await(node.spaces().create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
  }

  static AgentMount mount(String space) {
    return AgentMount.of(space, Access.READ_WRITE);
  }

  void tell(String id, String text) {
    await(agents.send(ANNA, id, Content.text(text), WriteOptions.DEFAULT));
  }

  String seen() throws InterruptedException {
    return seen.poll(60, TimeUnit.SECONDS);
  }

  static <T> T until(Supplier<CompletionStage<T>> question, Predicate<T> wanted) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    T answer = await(question.get());
    while (!wanted.test(answer)) {
      assertThat(System.nanoTime()).as("last answer: %s", answer).isLessThan(deadline);
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
      answer = await(question.get());
    }
    return answer;
  }

  AgentInfo running(String id) {
    return until(() -> agents.describe(ANNA, id), info -> info.state() == AgentInfo.State.RUNNING);
  }

  List<String> holders(String space) {
    return await(node.spaces().mounts(Principal.LOCAL, space)).stream()
        .map(MountInfo::holder)
        .filter(holder -> holder.startsWith("agent/"))
        .toList();
  }

  void refused(CompletionStage<?> call, ErrorCode code, String... hints) {
    assertThatThrownBy(() -> await(call))
        .isInstanceOfSatisfying(MemSpaceException.class, e -> assertThat(e.code()).isEqualTo(code))
        .message()
        .contains(hints);
  }

  // ---- spawn, describe, scale ----

  @Test
  void refusalsOfASpawnSayWhatWasFoundAndWhatIsAccepted() {
    await(agents.spawn(ANNA, AgentSpec.of("worker", "a")));
    refused(agents.spawn(ANNA, AgentSpec.of("worker", "a")), ErrorCode.AGENT_EXISTS, "[a]");
    refused(
        agents.spawn(ANNA, AgentSpec.of("nobody", "b")),
        ErrorCode.UNKNOWN_AGENT_TYPE,
        "[nobody]",
        "[worker]");
    for (String id : List.of("", ".hidden", "a b", "a/b", "x".repeat(101))) {
      refused(
          agents.spawn(ANNA, AgentSpec.of("worker", id)),
          ErrorCode.INVALID_REQUEST,
          "[" + id + "]",
          "1 to 100 of");
    }
    refused(
        agents.spawn(ANNA, AgentSpec.of("worker", "b", mount("absent"))),
        ErrorCode.SPACE_NOT_FOUND,
        "absent");
    refused(agents.describe(ANNA, "b"), ErrorCode.AGENT_NOT_FOUND, "[b]");
    refused(agents.stop(ANNA, "b"), ErrorCode.AGENT_NOT_FOUND, "[b]");
  }

  @Test
  void spawnThatFindsASpaceUnavailableComesUpWithItsMountsLater() {
    node.close();
    List<String> tries = new ArrayList<>();
    start(
        "nucleusmem.agents.restart-backoff-min = 10ms",
        (call, argument) -> {
          if (call.equals("mount") && argument.equals("s") && tries.size() < 2) {
            tries.add(argument);
            return CompletableFuture.failedFuture(
                new MemSpaceException(ErrorCode.UNAVAILABLE, "not now"));
          }
          return null;
        });
    space("s");
    refused(
        agents.spawn(ANNA, AgentSpec.of("worker", "a", mount("s"))),
        ErrorCode.UNAVAILABLE,
        "not now");
    assertThat(running("a").mounts()).extracting(MountInfo::space).containsExactly("s");
    assertThat(holders("s")).containsExactly("agent/a");
  }

  @Test
  void describeTellsStateMountsCursorsAndRestarts() throws Exception {
    node.close();
    start(
        "nucleusmem.agents { restart-backoff-min = 1h, restart-backoff-max = 1h }", (c, a) -> null);
    space("s");
    AgentSpec spec = AgentSpec.of("worker", "a", mount("s")).config(Map.of("tone", "warm"));
    await(agents.spawn(ANNA, spec));
    AgentInfo info = running("a");
    assertThat(info.type()).isEqualTo("worker");
    assertThat(info.config()).containsEntry("tone", "warm");
    assertThat(info.mounts()).extracting(MountInfo::space).containsExactly("s");
    assertThat(info.mounts()).extracting(MountInfo::holder).containsExactly("agent/a");
    assertThat(info.restarts()).isZero();
    assertThat(info.node()).startsWith("akka://");
    tell("a", "one");
    tell("a", "two");
    seen();
    seen();
    until(
        () -> agents.describe(ANNA, "a"),
        now -> now.cursors().getOrDefault("inbox", 0L).equals(2L));
    tell("a", "crash");
    AgentInfo crashed =
        until(() -> agents.describe(ANNA, "a"), now -> now.state() == AgentInfo.State.BACKING_OFF);
    assertThat(crashed.restarts()).isEqualTo(1);
    assertThat(crashed.cursors()).containsEntry("inbox", 2L);
  }

  @Test
  void scaleGoesToNoneAndBackAndNothingHandledIsHandledAgain() throws Exception {
    await(agents.scale(ANNA, "worker", 2, List.of(), Map.of()));
    tell("worker-2", "one");
    assertThat(seen()).isEqualTo("one");
    assertThat(await(agents.scale(ANNA, "worker", 0, List.of(), Map.of()))).isEmpty();
    assertThat(await(agents.list(ANNA, 10, Optional.empty())).items()).isEmpty();
    assertThat(await(agents.types())).extracting(AgentTypeInfo::instances).containsExactly(0);
    assertThat(await(agents.scale(ANNA, "worker", 2, List.of(), Map.of())))
        .extracting(AgentInfo::id)
        .containsExactly("worker-1", "worker-2");
    tell("worker-2", "two");
    assertThat(seen()).isEqualTo("two");
    refused(
        agents.scale(ANNA, "worker", 10_001, List.of(), Map.of()),
        ErrorCode.INVALID_REQUEST,
        "[10001]",
        "0 to 10000");
  }

  // ---- messages in flight ----

  /** An agent in the middle of a message, with others behind it. */
  void spawnAndKeepBusy() throws InterruptedException {
    await(agents.spawn(ANNA, AgentSpec.of("worker", "a")));
    List.of("before", "long", "third", "fourth").forEach(text -> tell("a", text));
    assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
  }

  void sawEachOnce() throws InterruptedException {
    tell("a", "last");
    assertThat(List.of(seen(), seen(), seen(), seen(), seen()))
        .containsExactly("before", "long", "third", "fourth", "last");
  }

  @Test
  void stopWithMessagesInFlightLosesNoneForTheNextOfThatNameAndRepeatsNone() throws Exception {
    spawnAndKeepBusy();
    CompletionStage<Void> stopped = agents.stop(ANNA, "a");
    open.countDown();
    await(stopped);
    refused(
        agents.send(ANNA, "a", Content.text("late"), WriteOptions.DEFAULT),
        ErrorCode.AGENT_NOT_FOUND,
        "[a]");
    await(agents.spawn(ANNA, AgentSpec.of("worker", "a")));
    sawEachOnce();
  }

  @Test
  void spawnThatReachesAHostAboutToLeaveBecomesALifeOfTheNext() throws Exception {
    spawnAndKeepBusy();
    EntityRef<AgentProtocol.Command> host =
        ClusterSharding.get(node.system())
            .entityRefFor(AgentHost.TYPE_KEY, AgentPlacement.entityId("worker", "a"));
    Duration patience = Duration.ofSeconds(60);
    CompletionStage<AgentProtocol.Reply> stopped =
        host.ask(replyTo -> new AgentProtocol.Stop(ANNA, replyTo), patience);
    CompletionStage<AgentProtocol.Reply> spawned =
        host.ask(
            replyTo ->
                new AgentProtocol.Spawn(
                    AgentSpec.of("worker", "a"), ANNA.name(), ANNA.admin(), replyTo),
            patience);
    open.countDown();
    assertThat(await(stopped)).isInstanceOf(AgentProtocol.Info.class);
    assertThat(await(spawned)).isInstanceOf(AgentProtocol.Info.class);
    sawEachOnce();
    running("a");
  }

  @Test
  void personaSwitchWithMessagesInFlightLosesNoneAndRepeatsNone() throws Exception {
    space("s");
    spawnAndKeepBusy();
    CompletionStage<AgentInfo> switched = agents.switchMounts(ANNA, "a", List.of(mount("s")));
    until(() -> CompletableFuture.completedFuture(holders("s")), all -> !all.isEmpty());
    open.countDown();
    assertThat(await(switched).mounts()).extracting(MountInfo::space).containsExactly("s");
    sawEachOnce();
  }

  // ---- a node that dies within a persona switch ----

  void dieInSwitch(String call, Predicate<String> where) throws Exception {
    node.close();
    CompletableFuture<String> reached = new CompletableFuture<>();
    start(
        "",
        (method, argument) -> {
          if (method.equals(call) && where.test(argument)) {
            reached.complete(argument);
            return new CompletableFuture<>(); // no answer before the node is gone
          }
          return null;
        });
    List.of("old", "new-1", "new-2").forEach(this::space);
    await(agents.spawn(ANNA, AgentSpec.of("worker", "a", mount("old"))));
    agents.switchMounts(ANNA, "a", List.of(mount("new-1"), mount("new-2")));
    await(reached);
    node.close(); // hands nothing over
    start("", (method, argument) -> null);
  }

  void isSwitched() {
    until(
        () -> agents.describe(ANNA, "a"),
        info ->
            info.state() == AgentInfo.State.RUNNING
                && info.mounts().stream()
                    .map(MountInfo::space)
                    .toList()
                    .equals(List.of("new-1", "new-2")));
    until(() -> CompletableFuture.completedFuture(holders("old")), List::isEmpty);
    assertThat(holders("new-1")).containsExactly("agent/a");
    assertThat(holders("new-2")).containsExactly("agent/a");
  }

  @Test
  void switchCutOffWhileItAcquiresIsFinishedOnRestart() throws Exception {
    dieInSwitch("mount", "new-2"::equals);
    isSwitched();
  }

  @Test
  void switchCutOffWhileItReleasesIsFinishedOnRestart() throws Exception {
    dieInSwitch("unmount", mount -> true);
    isSwitched();
  }
}
