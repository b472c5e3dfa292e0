package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.actor.Address;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Down;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was asked of an agent whose node was dead already is asked again where it lives then. */
@Timeout(480)
class AgentLostMemberTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final AgentMount DESK = AgentMount.of("desk", Access.READ_WRITE);
  private static final int AGENTS = 4; // some are on each of two nodes

  // one that is not asked again waits until there is no time left for a second try
  private static final String NO_SECOND_TRY =
      """
      akka.cluster.roles = [agent-type-worker]
      nucleusmem.agents.call-timeout = 110s
      nucleusmem.agents.attempt-timeout = 109999ms
      """;

  private final KvStore store = new MemoryStore(StoreScope.REGION);
  private final TestNode first = TestNode.start(store, NO_SECOND_TRY);
  private final Agents agents = agents(first);
  private final TestNode second = TestNode.join(first, store, NO_SECOND_TRY);
  private final Address dead = Cluster.get(second.system()).selfMember().address();

  private static Agents agents(TestNode node) {
    return await(
        AgentSystem.start(
            node.system(),
            node.spaces(),
            List.of(AgentClusterTest.noter("worker")),
            Optional.empty()));
  }

  @AfterEach
  void stop() {
    first.close();
    second.close();
    store.close();
  }

  @Test
  void questionsChangesAndTheEndOfAnAgentReachItWhereItMoved() {
    agents(second);
    first.awaitRegions(2);
    await(first.spaces().create(ANNA, CreateSpace.shared("desk"), WriteOptions.DEFAULT));
    List<String> there =
        await(agents.scale(ANNA, "worker", AGENTS, List.of(DESK), Map.of())).stream()
            .filter(worker -> worker.node().equals(dead.toString()))
            .map(AgentInfo::id)
            .toList();
    assertThat(there).hasSize(2);

    second.die();
    await(second.system().getWhenTerminated());
    CompletionStage<AgentInfo> asked = agents.describe(ANNA, there.get(0));
    CompletionStage<AgentInfo> switched = agents.switchMounts(ANNA, there.get(0), List.of());
    CompletionStage<Void> stopped = agents.stop(ANNA, there.get(1));
    Cluster.get(first.system()).manager().tell(new Down(dead));

    assertThat(await(asked).node()).isNotEqualTo(dead.toString());
    assertThat(await(switched).mounts()).isEmpty();
    await(stopped);
    eventually(
        () ->
            catchThrowableOfType(
                        MemSpaceException.class, () -> await(agents.describe(ANNA, there.get(1))))
                    .code()
                == ErrorCode.AGENT_NOT_FOUND);
  }
}
