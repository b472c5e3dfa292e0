package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.sharding.typed.javadsl.EntityRef;
import akka.cluster.sharding.typed.testkit.javadsl.TestEntityRef;
import io.nucleusmem.agent.AgentDirectory.Entered;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.agent.AgentProtocol.Info;
import io.nucleusmem.agent.AgentProtocol.Question;
import io.nucleusmem.agent.AgentProtocol.Refused;
import io.nucleusmem.agent.AgentProtocol.Reply;
import io.nucleusmem.memspace.Calls;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Second tries of calls on agents; the hosts are the test. */
@Timeout(240)
class AgentCallsTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Duration CALL = Duration.ofMinutes(3);
  private static final Duration SHORT = Duration.ofMillis(50); // then the next try

  private static final MemoryStore STORE = new MemoryStore(StoreScope.ALL);
  private static TestNode node;
  private static ActorTestKit kit;
  private static AgentDirectory directory;
  private static Calls impatient;
  private static Calls patient;

  private final AtomicInteger heard = new AtomicInteger(); // questions

  @BeforeAll
  static void start() {
    node = TestNode.start(STORE);
    var made = await(node.spaces().create(ANNA, CreateSpace.shared("d"), WriteOptions.DEFAULT));
    MountedSpace space = await(node.spaces().open(ANNA, made.mount().id()));
    directory = new AgentDirectory(space);
    impatient = Calls.start(node.system(), CALL, SHORT);
    patient = Calls.start(node.system(), CALL, CALL);
    kit = ActorTestKit.create(node.system());
  }

  @AfterAll
  static void stop() {
    node.close();
    STORE.close();
  }

  /**
   * Calls whose hosts answer as a script says.
   *
   * @param script the answer to the n-th question, from 1 on; null: none
   */
  private AgentCalls to(Calls calls, IntFunction<Reply> script) {
    ActorRef<Command> host =
        kit.spawn(
            Behaviors.receiveMessage(
                command -> {
                  Reply reply = script.apply(heard.incrementAndGet());
                  if (reply != null) {
                    ((Question) command).replyTo().tell(reply);
                  }
                  return Behaviors.same();
                }));
    return new AgentCalls(hosts(host, true), directory, calls, CALL);
  }

  private static AgentCalls.Hosts hosts(ActorRef<Command> host, boolean any) {
    return new AgentCalls.Hosts() {
      @Override
      public boolean any(String type) {
        return any;
      }

      @Override
      public EntityRef<Command> of(String type, String id) {
        return TestEntityRef.of(AgentHost.TYPE_KEY, id, host);
      }
    };
  }

  private static Entered entered(String id) {
    return await(
        directory.add(new AgentSpec("worker", id, List.of(), Map.of()), "anna", Optional.empty()));
  }

  private static Function<ActorRef<Reply>, Command> stop(Principal caller) {
    return replyTo -> new AgentProtocol.Stop(caller, replyTo);
  }

  private static Info info(String id) {
    return new Info(
        new AgentInfo(
            id,
            "worker",
            "anna",
            AgentInfo.State.RUNNING,
            "here",
            List.of(),
            0,
            Map.of(),
            Map.of()));
  }

  @Test
  void aQuestionWithoutAnAnswerIsAskedAgain() {
    AgentCalls calls = to(impatient, n -> n == 1 ? null : info("a"));

    assertThat(await(calls.ask("worker", "a", AgentProtocol.Describe::new)).id()).isEqualTo("a");
  }

  @Test
  void aChangeIsAskedAgainOfTheSameAgent() {
    AgentCalls calls = to(impatient, n -> n == 1 ? null : info("b"));

    assertThat(await(calls.change("b", entered("b"), stop(ANNA))).id()).isEqualTo("b");
  }

  @Test
  void aChangeIsNotAskedAgainOfAnotherAgentThatHasTheIdByThen() {
    Entered entered = entered("c");
    CompletionStage<AgentInfo> call = to(impatient, n -> null).change("c", entered, stop(ANNA));

    await(directory.remove("c", entered));
    entered("c");

    MemSpaceException refused = catchThrowableOfType(MemSpaceException.class, () -> await(call));
    assertThat(refused.code()).isEqualTo(ErrorCode.AGENT_NOT_FOUND);
  }

  /** The entry of an agent is not taken away by who stopped one that had the id before. */
  @Test
  void anEntryIsRemovedOnlyAsItWas() {
    Entered entered = entered("d");
    await(directory.remove("d", entered));
    Entered other = entered("d");

    await(directory.remove("d", entered));

    assertThat(await(directory.require("d"))).isEqualTo(other);
  }

  @Test
  void aSecondTryThatFindsTheFirstUnderWayWaitsForItsEnd() {
    Refused busy = new Refused(ErrorCode.BUSY, "the first is under way");
    AgentCalls calls = to(impatient, n -> n == 1 ? null : n < 4 ? busy : info("e"));

    assertThat(await(calls.change("e", entered("e"), stop(ANNA))).id()).isEqualTo("e");
  }

  @Test
  void aRefusalIsAnAnswer() {
    AgentCalls calls = to(patient, n -> new Refused(ErrorCode.BUSY, "another is under way"));

    MemSpaceException refused =
        catchThrowableOfType(
            MemSpaceException.class, () -> await(calls.change("f", entered("f"), stop(ANNA))));

    assertThat(refused.code()).isEqualTo(ErrorCode.BUSY);
    assertThat(heard).hasValue(1);
  }

  @Test
  void whereNobodyHostsTheTypeTheCallerHearsSoAtOnce() {
    AgentCalls calls = new AgentCalls(hosts(null, false), directory, patient, CALL);

    MemSpaceException refused =
        catchThrowableOfType(
            MemSpaceException.class,
            () -> await(calls.ask("worker", "g", AgentProtocol.Describe::new)));

    assertThat(refused.code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(refused.getMessage()).contains("no node hosts agents of type [worker]");
  }
}
