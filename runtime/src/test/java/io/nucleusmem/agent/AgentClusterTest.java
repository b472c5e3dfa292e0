package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.Cluster;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
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
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Agents on several nodes that differ in the types they host. */
@Timeout(480)
class AgentClusterTest {
  static final Principal ANNA = Principal.of("anna");

  record Told(AgentContext.Seen<Message> message) {}

  /** Notes in the space "desk" what it is told, under the message's id, and where it is. */
  static Behavior<Told> noting(AgentContext<Told> ctx) {
    return Behaviors.receiveMessage(
        told -> {
          Message message = told.message().what();
          ctx.space("desk")
              .put(EntryKey.of(ctx.id() + "/" + message.content().text()), Content.text("seen"));
          return Behaviors.same();
        });
  }

  static AgentType<Told> noter(String name) {
    return AgentType.of(name, Told.class, AgentClusterTest::noting).inbox(Told::new);
  }

  /** A node and its agents. */
  record Node(TestNode node, Agents agents) {
    String address() {
      return Cluster.get(node.system()).selfAddress().toString();
    }
  }

  private final KvStore store = new MemoryStore(StoreScope.REGION);
  private final List<Node> nodes = new ArrayList<>();

  /** Starts one more node. */
  private Node node(String... types) {
    String config =
        "akka.cluster.roles = [%s]"
            .formatted(
                String.join(
                    ",", List.of(types).stream().map(type -> "agent-type-" + type).toList()));
    TestNode node =
        nodes.isEmpty()
            ? TestNode.start(store, config)
            : TestNode.join(nodes.get(0).node(), store, config);
    List<AgentType<?>> hosted = new ArrayList<>();
    for (String type : types) {
      hosted.add(noter(type));
    }
    Node started =
        new Node(
            node, await(AgentSystem.start(node.system(), node.spaces(), hosted, Optional.empty())));
    nodes.add(started);
    started.node().awaitRegions(nodes.size());
    return started;
  }

  @AfterEach
  void stop() {
    nodes.forEach(node -> node.node().close());
    store.close();
  }

  private MountedSpace desk(Node node) {
    MemSpaces spaces = node.node().spaces();
    MountInfo mount =
        await(spaces.create(ANNA, CreateSpace.shared("desk"), WriteOptions.DEFAULT)).mount();
    return await(spaces.open(ANNA, mount.id()));
  }

  private static final AgentMount DESK = AgentMount.of("desk", Access.READ_WRITE);

  private static void send(Node from, String agent, String text) {
    await(from.agents().send(ANNA, agent, Content.text(text), WriteOptions.DEFAULT));
  }

  private static Set<String> notes(MountedSpace desk) {
    Set<String> keys = new HashSet<>();
    await(desk.scan(ScanRequest.of(Region.MEMORY, "")))
        .items()
        .forEach(entry -> keys.add(entry.key().name()));
    return keys;
  }

  private static int members(Node node) {
    int count = 0;
    for (Member member : Cluster.get(node.node().system()).state().getMembers()) {
      count += member.status().equals(MemberStatus.up()) ? 1 : 0;
    }
    return count;
  }

  @Test
  void aTypeThatJoinsLaterIsSpawnedFromAnyNodeAtOnce() {
    Node first = node("old");
    Node other = node("other");
    MountedSpace desk = desk(first);
    MemSpaceException unknown =
        catchThrowableOfType(
            MemSpaceException.class,
            () -> await(first.agents().spawn(ANNA, AgentSpec.of("new", "n", DESK))));
    assertThat(unknown.code()).isEqualTo(ErrorCode.UNKNOWN_AGENT_TYPE);
    assertThat(unknown.getMessage()).contains("[old, other]");

    Node second = node("new");
    for (Node node : List.of(first, other)) {
      eventually(() -> await(node.agents().types()).size() == 3);
    }
    assertThat(await(other.agents().spawn(ANNA, AgentSpec.of("new", "m", DESK))).node())
        .isEqualTo(second.address());
    AgentInfo info = await(first.agents().spawn(ANNA, AgentSpec.of("new", "n", DESK)));
    assertThat(info.node()).isEqualTo(second.address());
    send(first, "n", "hello");
    eventually(() -> notes(desk).contains("n/hello"));
    assertThat(await(second.agents().describe(ANNA, "n")).type()).isEqualTo("new");
    assertThat(await(first.agents().types()))
        .contains(new AgentTypeInfo("new", 2, List.of(second.address())));
  }

  /** As when a call got no answer in time and was sent again, to another node. */
  @Test
  void twoCallsThatScaleAtTheSameTimeBothFindTheInstances() {
    Node first = node("worker");
    Node second = node("worker");
    desk(first);
    List<CompletionStage<List<AgentInfo>>> calls = new ArrayList<>();
    for (Node node : List.of(first, second)) {
      calls.add(node.agents().scale(ANNA, "worker", 6, List.of(DESK), Map.of()));
    }
    for (CompletionStage<List<AgentInfo>> call : calls) {
      assertThat(await(call))
          .extracting(AgentInfo::id)
          .containsExactly("worker-1", "worker-2", "worker-3", "worker-4", "worker-5", "worker-6");
    }
  }

  @Test
  void scaleSpreadsAndANodeThatLeavesOrDiesGivesItsAgentsToTheOthers() {
    Node first = node("worker");
    Node second = node("worker");
    Node third = node("worker");
    MountedSpace desk = desk(first);
    List<AgentInfo> workers =
        await(second.agents().scale(ANNA, "worker", 6, List.of(DESK), Map.of()));
    Set<String> hosts = new HashSet<>();
    workers.forEach(worker -> hosts.add(worker.node()));
    assertThat(hosts).containsExactlyInAnyOrder(first.address(), second.address(), third.address());

    third.node().die();
    // a call waits for less long than the cluster may take to agree
    eventually(() -> members(first) == 2);
    for (int i = 1; i <= 6; i++) {
      send(first, "worker-" + i, "after-death");
    }
    eventually(() -> notes(desk).size() == 6);
    for (int i = 1; i <= 6; i++) {
      assertThat(await(first.agents().describe(ANNA, "worker-" + i)).node())
          .isNotEqualTo(third.address());
    }

    // in good order: of two nodes that lose each other, either may be the one that ends
    Cluster leaving = Cluster.get(second.node().system());
    leaving.leave(leaving.selfAddress());
    eventually(() -> members(first) == 1);
    for (int i = 1; i <= 6; i++) {
      send(first, "worker-" + i, "after-leaving");
    }
    eventually(() -> notes(desk).size() == 12);
  }
}
