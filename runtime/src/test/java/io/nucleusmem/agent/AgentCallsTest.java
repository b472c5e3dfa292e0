package io.nucleusmem.agent;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an agent starts and hears of later: blocking calls, routing. */
class AgentCallsTest {
  static final Principal ANNA = Principal.of("anna");

  sealed interface Msg {
    record Told(AgentContext.Seen<Message> message) implements Msg {}

    record Done(Object value, Throwable failure) implements Msg {}
  }

  final BlockingQueue<Msg.Done> done = new LinkedBlockingQueue<>();
  final CountDownLatch begun = new CountDownLatch(1);
  final CountDownLatch open = new CountDownLatch(1);
  TestNode node;
  Agents agents;

  Behavior<Msg> create(AgentContext<Msg> ctx) {
    return Behaviors.receive(Msg.class)
        .onMessage(
            Msg.Told.class,
            told -> {
              switch (told.message().what().content().text()) {
                case "wait" -> ctx.blocking(this::waitUntilOpen, Msg.Done::new);
                case "name" -> ctx.blocking(() -> Thread.currentThread().getName(), Msg.Done::new);
                case "error" -> ctx.blocking(AgentCallsTest::fail, Msg.Done::new);
                default -> ctx.pipe(ctx.route(Content.text("for whom?")), Msg.Done::new);
              }
              return Behaviors.same();
            })
        .onMessage(
            Msg.Done.class,
            message -> {
              done.add(message);
              return Behaviors.same();
            })
        .build();
  }

  String waitUntilOpen() throws InterruptedException {
    begun.countDown();
    return open.await(60, TimeUnit.SECONDS) ? "opened" : "never opened";
  }

  static String fail() {
    throw new NoClassDefFoundError("no such tool");
  }

  @BeforeEach
  void begin() {
    node =
        TestNode.start(
            new MemoryStore(StoreScope.ALL),
            "nucleusmem.agents.blocking-max = 1, akka.cluster.roles = [agent-type-caller]");
    AgentType<Msg> type = AgentType.of("caller", Msg.class, this::create).inbox(Msg.Told::new);
    agents =
        await(AgentSystem.start(node.system(), node.spaces(), List.of(type), Optional.empty()));
    await(agents.spawn(ANNA, AgentSpec.of("caller", "a")));
  }

  @AfterEach
  void end() {
    open.countDown();
    node.close();
  }

  void tell(String text) {
    await(agents.send(ANNA, "a", Content.text(text), WriteOptions.DEFAULT));
  }

  Msg.Done done() throws InterruptedException {
    return done.poll(60, TimeUnit.SECONDS);
  }

  @Test
  void blockingCallRunsElsewhereAndOneTooManyIsRefusedByTheNamedLimit() throws Exception {
    tell("wait");
    assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
    tell("name");
    assertThat(done().failure())
        .isInstanceOfSatisfying(
            MemSpaceException.class, busy -> assertThat(busy.code()).isEqualTo(ErrorCode.BUSY))
        .hasMessageContaining("nucleusmem.agents.blocking-max")
        .hasMessageContaining("[1]");
    open.countDown();
    assertThat(done().value()).isEqualTo("opened");
    tell("name");
    assertThat(done().value().toString()).contains("nucleusmem.agents.blocking-dispatcher");
  }

  @Test
  void blockingCallThatEndsInAnErrorAnswersAndGivesItsPlaceBack() throws Exception {
    tell("error");
    assertThat(done().failure()).isInstanceOf(NoClassDefFoundError.class);
    tell("name");
    assertThat(done().failure()).isNull();
  }

  @Test
  void routeWithoutARouterSaysThatThereIsNone() throws Exception {
    tell("route");
    assertThat(done().failure())
        .isInstanceOf(MemSpaceException.class)
        .hasMessageContaining("no router is configured");
  }
}
