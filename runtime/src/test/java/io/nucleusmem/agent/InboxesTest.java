package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.ForkRequest;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.TopicInfo;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** G9: who sends to an agent reads nothing of its inbox, and of no other. */
@Timeout(120)
class InboxesTest {
  static final Principal ANNA = Principal.of("anna");
  static final Principal BEN = Principal.of("ben");
  static final Principal ROOT = new Principal("root", true);
  static final Principal SYSTEM = new Principal("system", true);

  sealed interface Msg {
    record Told(AgentContext.Seen<Message> message) implements Msg {}

    record Mounted(Throwable failure) implements Msg {}
  }

  final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  final AgentType<Msg> type = AgentType.of("worker", Msg.class, this::worker).inbox(Msg.Told::new);
  KvStore store;
  TestNode node;
  MemSpaces spaces;
  Agents agents;

  /** Tells whom it hears; tries to mount what it is told to. */
  Behavior<Msg> worker(AgentContext<Msg> ctx) {
    return Behaviors.receive(Msg.class)
        .onMessage(
            Msg.Told.class,
            told -> {
              Message message = told.message().what();
              String text = message.content().text();
              if (text.startsWith("mount ")) {
                ctx.mount(
                    text.substring(6),
                    Access.READ_WRITE,
                    (space, failure) -> new Msg.Mounted(failure));
              } else {
                seen.add(ctx.id() + " hears " + text + " from " + message.sender());
              }
              return Behaviors.same();
            })
        .onMessage(
            Msg.Mounted.class,
            mounted -> {
              seen.add(
                  mounted.failure() instanceof MemSpaceException refused
                      ? refused.code().name()
                      : String.valueOf(mounted.failure()));
              return Behaviors.same();
            })
        .build();
  }

  @BeforeEach
  void begin() {
    store = new MemoryStore(StoreScope.ALL);
    start();
  }

  void start() {
    node = TestNode.start(store, "akka.cluster.roles = [agent-type-worker]");
    spaces = node.spaces();
    agents = await(AgentSystem.start(node.system(), spaces, List.of(type), Optional.empty()));
  }

  @AfterEach
  void end() {
    node.close();
  }

  void spawn(Principal caller, String id) {
    await(agents.spawn(caller, AgentSpec.of("worker", id)));
  }

  void send(Principal sender, String id, String text) throws InterruptedException {
    await(agents.send(sender, id, Content.text(text), WriteOptions.DEFAULT));
    assertThat(seen.poll(60, TimeUnit.SECONDS))
        .isEqualTo(id + " hears " + text + " from " + sender.name());
  }

  static ErrorCode refusal(CompletionStage<?> stage) {
    return catchThrowableOfType(MemSpaceException.class, () -> await(stage)).code();
  }

  /** All mounts of the space of inboxes but the system's own. */
  List<MountInfo> mounts() {
    return await(spaces.mounts(ROOT, "agents")).stream()
        .filter(mount -> !mount.holder().equals("system"))
        .toList();
  }

  @Test
  void g9ForWhoHasSentToAnAgentTheSpaceOfInboxesDoesNotExist() throws Exception {
    spawn(ANNA, "a");
    spawn(ANNA, "b");
    send(ANNA, "b", "secret");
    send(BEN, "a", "hello");
    assertThat(refusal(spaces.openOnly(BEN, "agents"))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.describe(BEN, "agents"))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.mounts(BEN, "agents"))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(
            refusal(
                spaces
                    .forks()
                    .fork(
                        BEN,
                        new ForkRequest("agents", "copy", ReadAt.LATEST),
                        WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.mount(BEN, "agents", MountRequest.of("agent/a", Access.READ_ONLY))))
        .isEqualTo(ErrorCode.NOT_OWNER);
    for (MountInfo mount : mounts()) {
      assertThat(refusal(spaces.open(BEN, mount.id()))).isEqualTo(ErrorCode.MOUNT_NOT_FOUND);
      assertThat(refusal(spaces.describeMount(BEN, mount.id())))
          .isEqualTo(ErrorCode.MOUNT_NOT_FOUND);
    }
  }

  @Test
  void g9TheMountOfAnAgentShowsItsOwnInboxAlone() throws Exception {
    spawn(ANNA, "a");
    spawn(ANNA, "b");
    send(ANNA, "b", "secret");
    send(BEN, "a", "hello");
    MountedSpace own = await(spaces.openOnly(Principal.of("agent/a"), "agents"));
    assertThat(await(own.topic("inbox.a").fetch(MessageRange.all())).items())
        .extracting(message -> message.sender() + " " + message.content().text())
        .containsExactly("ben hello");
    assertThat(await(own.topics(100, Optional.empty())).items())
        .extracting(TopicInfo::name)
        .containsExactly("inbox.a");
    assertThatThrownBy(() -> own.topic("inbox.b")).isInstanceOf(MemSpaceException.class);
    assertThat(refusal(own.createTopic("inbox.c"))).isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
    assertThat(await(own.get(EntryKey.of("agent/b")))).isEmpty();
    for (Region region : Region.values()) {
      assertThat(await(own.scan(ScanRequest.of(region, ""))).items()).isEmpty();
    }
    assertThat(
            refusal(
                spaces
                    .forks()
                    .fork(
                        Principal.of("agent/a"),
                        new ForkRequest("agents", "copy", ReadAt.LATEST),
                        WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.FORBIDDEN);
  }

  @Test
  void g9MountsThatSendersWereGivenOnceAreRevokedWhenANodeStarts() {
    MountRequest wide =
        new MountRequest("ben", Access.APPEND_ONLY, Set.of(Region.COMM), List.of(), Set.of());
    String senders = await(spaces.mount(SYSTEM, "agents", wide)).mount().id();
    String given = await(spaces.mount(ROOT, "agents", wide)).mount().id();
    spawn(ANNA, "a");
    node.close();
    start();
    assertThat(refusal(spaces.open(BEN, senders))).isEqualTo(ErrorCode.MOUNT_REVOKED);
    assertThat(await(spaces.open(BEN, given)).mount().grantedBy()).isEqualTo("root");
  }

  @Test
  void senderLeavesNoMountAndAnAgentThatIsStoppedNeither() throws Exception {
    spawn(ANNA, "a");
    for (int i = 0; i < 20; i++) {
      send(Principal.of("sender-" + i), "a", "hello");
    }
    assertThat(mounts()).extracting(MountInfo::holder).containsExactly("agent/a");
    await(agents.stop(ANNA, "a"));
    assertThat(mounts()).isEmpty();
    spawn(ANNA, "a");
    send(BEN, "a", "again");
    assertThat(mounts()).extracting(MountInfo::holder).containsExactly("agent/a");
  }

  @Test
  void requestIdIsItsSendersOwn() {
    spawn(ANNA, "a");
    WriteOptions once = WriteOptions.id("request-0123456789");
    Published first = await(agents.send(BEN, "a", Content.text("pay"), once));
    Published again = await(agents.send(BEN, "a", Content.text("pay"), once));
    assertThat(again.replayed()).isTrue();
    assertThat(again.id()).isEqualTo(first.id()).endsWith("/ben");
    assertThat(refusal(agents.send(ANNA, "a", Content.text("pay"), once)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
  }

  @Test
  void g9AnAgentAndItsIdBelongToWhoSpawnedIt() throws Exception {
    spawn(ANNA, "a");
    assertThat(refusal(agents.stop(BEN, "a"))).isEqualTo(ErrorCode.FORBIDDEN);
    assertThat(refusal(agents.switchMounts(BEN, "a", List.of()))).isEqualTo(ErrorCode.FORBIDDEN);
    send(BEN, "a", "still there");
    await(agents.stop(ANNA, "a"));
    // what the first one has not read would be read by the second
    assertThat(refusal(agents.spawn(BEN, AgentSpec.of("worker", "a"))))
        .isEqualTo(ErrorCode.FORBIDDEN);
    assertThat(refusal(agents.describe(BEN, "a"))).isEqualTo(ErrorCode.AGENT_NOT_FOUND);
    spawn(ROOT, "a");
    await(agents.stop(ROOT, "a"));
  }

  @Test
  void g9NoAgentMountsTheSpaceOfInboxesAlsoAnAdministratorsDoesNot() throws Exception {
    spawn(ROOT, "a");
    await(agents.send(ROOT, "a", Content.text("mount agents"), WriteOptions.DEFAULT));
    assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo("INVALID_REQUEST");
    assertThat(
            refusal(
                agents.spawn(
                    ROOT, AgentSpec.of("worker", "b", AgentMount.of("agents", Access.READ_ONLY)))))
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }

  @Test
  void g9NoAgentIsCalledAsTheDeadLettersOfAnother() {
    assertThat(refusal(agents.spawn(BEN, AgentSpec.of("worker", "a.dead"))))
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }
}
