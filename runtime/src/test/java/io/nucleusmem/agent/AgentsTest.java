package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AgentsTest {
  static final Principal ANNA = Principal.of("anna");
  static final BlockingQueue<String> SEEN = new LinkedBlockingQueue<>();

  sealed interface Msg {
    record Told(AgentContext.Seen<Message> message) implements Msg {}

    record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

    record Answered(Message answer, Throwable failure) implements Msg {}
  }

  /** Tells what it sees; crashes on "crash". */
  static Behavior<Msg> echo(AgentContext<Msg> ctx) {
    if (ctx.config().containsKey("watch")) {
      ctx.watch(
          "w", ctx.config().get("watch"), WatchRequest.of(Region.MEMORY, ""), Msg.Changed::new);
    }
    return Behaviors.receive(Msg.class)
        .onMessage(
            Msg.Told.class,
            told -> {
              Message message = told.message().what();
              String text = message.content().text();
              if (text.equals("crash")) {
                throw new IllegalStateException("as asked");
              }
              if (text.startsWith("ask ")) {
                ctx.ask(
                    text.substring(4),
                    Content.text("ping"),
                    Duration.ofSeconds(5),
                    Msg.Answered::new);
              } else if (text.equals("ping")) {
                ctx.reply(message, Content.text("pong"));
              } else {
                SEEN.add(ctx.id() + " told " + text);
              }
              return Behaviors.same();
            })
        .onMessage(
            Msg.Changed.class,
            changed -> {
              SEEN.add(ctx.id() + " saw " + changed.signal().what().key().name());
              return Behaviors.same();
            })
        .onMessage(
            Msg.Answered.class,
            answered -> {
              SEEN.add(ctx.id() + " got " + answered.answer().content().text());
              return Behaviors.same();
            })
        .build();
  }

  static final AgentType<Msg> ECHO =
      AgentType.of("echo", Msg.class, AgentsTest::echo).inbox(Msg.Told::new);

  KvStore store;
  TestNode node;
  MemSpaces spaces;
  Agents agents;
  String id;

  @BeforeEach
  void begin() {
    store = new MemoryStore(StoreScope.ALL);
    id = "a-" + UUID.randomUUID();
    start();
  }

  void start() {
    node =
        TestNode.start(
            store,
            "nucleusmem.agents.restart-backoff-min = 10ms, akka.cluster.roles = [agent-type-echo]");
    spaces = node.spaces();
    agents = await(AgentSystem.start(node.system(), spaces, List.of(ECHO), Optional.empty()));
  }

  @AfterEach
  void end() {
    node.close();
  }

  static String seen() throws InterruptedException {
    return SEEN.poll(60, TimeUnit.SECONDS);
  }

  ErrorCode refusal(java.util.concurrent.CompletionStage<?> stage) {
    return catchThrowableOfType(MemSpaceException.class, () -> await(stage)).code();
  }

  @Test
  void spawnedAgentReceivesItsMessagesInOrder() throws Exception {
    AgentInfo info = await(agents.spawn(ANNA, AgentSpec.of("echo", id)));
    assertThat(info.type()).isEqualTo("echo");
    await(agents.send(ANNA, id, Content.text("one"), WriteOptions.DEFAULT));
    await(agents.send(ANNA, id, Content.text("two"), WriteOptions.DEFAULT));
    assertThat(seen()).isEqualTo(id + " told one");
    assertThat(seen()).isEqualTo(id + " told two");
  }

  @Test
  void secondAgentOfOneIdAndUnknownTypeAreRefused() {
    await(agents.spawn(ANNA, AgentSpec.of("echo", id)));
    assertThat(refusal(agents.spawn(ANNA, AgentSpec.of("echo", id))))
        .isEqualTo(ErrorCode.AGENT_EXISTS);
    assertThat(refusal(agents.spawn(ANNA, AgentSpec.of("nobody", id + "x"))))
        .isEqualTo(ErrorCode.UNKNOWN_AGENT_TYPE);
    assertThat(refusal(agents.describe(ANNA, "absent"))).isEqualTo(ErrorCode.AGENT_NOT_FOUND);
  }

  @Test
  void crashLosesNoMessageAndPoisonGoesToTheDeadLetters() throws Exception {
    await(agents.spawn(ANNA, AgentSpec.of("echo", id)));
    await(agents.send(ANNA, id, Content.text("before"), WriteOptions.DEFAULT));
    await(agents.send(ANNA, id, Content.text("crash"), WriteOptions.DEFAULT));
    await(agents.send(ANNA, id, Content.text("after"), WriteOptions.DEFAULT));
    assertThat(seen()).isEqualTo(id + " told before");
    assertThat(seen()).isEqualTo(id + " told after");
    assertThat(await(agents.describe(ANNA, id)).restarts()).isEqualTo(5);
  }

  @Test
  void agentComesBackAfterARestartAndGoesOnFromItsCursor() throws Exception {
    String name = "s-" + UUID.randomUUID();
    MountInfo mount =
        await(spaces.create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT)).mount();
    MountedSpace space = await(spaces.open(ANNA, mount.id()));
    await(
        agents.spawn(
            ANNA,
            AgentSpec.of("echo", id, AgentMount.of(name, Access.READ_ONLY))
                .config(java.util.Map.of("watch", name))));
    await(agents.send(ANNA, id, Content.text("ready"), WriteOptions.DEFAULT));
    seen();
    String first = null;
    for (int i = 0; first == null; i++) { // the watch becomes active a moment after the agent
      await(space.put(EntryKey.of("k" + i), Content.text("v")));
      first = SEEN.poll(100, TimeUnit.MILLISECONDS);
    }
    while (SEEN.poll(200, TimeUnit.MILLISECONDS) != null) {}
    node.close();
    start();
    MountedSpace again = await(spaces.open(ANNA, mount.id()));
    await(again.put(EntryKey.of("later"), Content.text("v")));
    String seen = seen();
    while (!seen.endsWith("later")) {
      seen = seen();
    }
    assertThat(seen).isEqualTo(id + " saw later");
    assertThat(await(agents.describe(ANNA, id)).mounts())
        .extracting(MountInfo::space)
        .containsExactly(name);
  }

  @Test
  void agentAsksAnotherAndGetsItsAnswer() throws Exception {
    await(agents.spawn(ANNA, AgentSpec.of("echo", id)));
    await(agents.spawn(ANNA, AgentSpec.of("echo", id + "-b")));
    await(agents.send(ANNA, id, Content.text("ask " + id + "-b"), WriteOptions.DEFAULT));
    assertThat(seen()).isEqualTo(id + " got pong");
  }

  @Test
  void scaleSpawnsAndStops() {
    await(agents.scale(ANNA, "echo", 3, List.of(), java.util.Map.of()));
    assertThat(await(agents.list(ANNA, 10, Optional.empty())).items())
        .extracting(AgentInfo::id)
        .containsExactly("echo-1", "echo-2", "echo-3");
    await(agents.scale(ANNA, "echo", 1, List.of(), java.util.Map.of()));
    assertThat(await(agents.list(ANNA, 10, Optional.empty())).items())
        .extracting(AgentInfo::id)
        .containsExactly("echo-1");
    assertThat(await(agents.types())).extracting(AgentTypeInfo::instances).containsExactly(1);
  }

  @Test
  void personaSwitchReplacesTheWholeSetOfMounts() {
    String one = "s-" + UUID.randomUUID();
    String two = "s-" + UUID.randomUUID();
    await(spaces.create(ANNA, CreateSpace.shared(one), WriteOptions.DEFAULT));
    await(spaces.create(ANNA, CreateSpace.shared(two), WriteOptions.DEFAULT));
    AgentInfo before =
        await(agents.spawn(ANNA, AgentSpec.of("echo", id, AgentMount.of(one, Access.READ_ONLY))));
    AgentInfo after =
        await(agents.switchMounts(ANNA, id, List.of(AgentMount.of(two, Access.READ_WRITE))));
    assertThat(after.mounts()).extracting(MountInfo::space).containsExactly(two);
    String old = before.mounts().get(0).id();
    ErrorCode code = null;
    while (code == null) { // released behind the answer
      code = released(old);
    }
    assertThat(
            refusal(
                agents.switchMounts(ANNA, id, List.of(AgentMount.of("absent", Access.READ_ONLY)))))
        .isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(await(agents.describe(ANNA, id)).mounts())
        .extracting(MountInfo::space)
        .containsExactly(two);
  }

  ErrorCode released(String mount) {
    try {
      await(spaces.describeMount(ANNA, mount));
      return null;
    } catch (MemSpaceException e) {
      return e.code();
    }
  }
}
