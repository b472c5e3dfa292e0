package io.nucleusmem.receipts;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentSystem;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.agent.HandOver;
import io.nucleusmem.agent.RouterHook;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the router answered is answered again in a rerun, and nothing is routed. */
@Timeout(120)
class RerunRouterTest {
  private static final Principal ANNA = Principal.of("anna");

  sealed interface Msg {}

  record Told(AgentContext.Seen<Message> message) implements Msg {}

  record Got(String what, Object value, Throwable failure) implements Msg {}

  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final AtomicInteger calls = new AtomicInteger();

  /** Answers differently each time. */
  private final RouterHook router =
      new RouterHook() {
        @Override
        public CompletionStage<Published> route(String sender, Content content) {
          int call = calls.incrementAndGet();
          return CompletableFuture.completedStage(new Published("id-" + call, call, 1L, false));
        }

        @Override
        public CompletionStage<RegisteredRoute> offer(
            String owner, Route route, Set<String> senders) {
          Instant at = Instant.ofEpochMilli(5);
          return CompletableFuture.completedStage(
              new RegisteredRoute(route, owner, senders, calls.incrementAndGet(), at, true));
        }

        @Override
        public CompletionStage<Void> withdraw(List<String> owners, String route) {
          return CompletableFuture.failedStage(
              new MemSpaceException(
                  ErrorCode.ROUTE_NOT_FOUND, "no [" + calls.incrementAndGet() + "]"));
        }

        @Override
        public CompletionStage<Published> handOver(
            String agent, List<MountInfo> held, HandOver handOver) {
          return route(agent, handOver.note());
        }
      };

  private Behavior<Msg> create(AgentContext<Msg> ctx) {
    return Behaviors.receive(Msg.class)
        .onMessage(
            Told.class,
            told -> {
              Content content = told.message().what().content();
              String text = content.text();
              ctx.pipe(ctx.route(content), (done, failure) -> new Got("route", done, failure));
              ctx.pipe(
                  ctx.offer(text, false, "what I take", List.of("an example")),
                  (done, failure) -> new Got("offer", done, failure));
              ctx.pipe(ctx.withdraw(text), (done, failure) -> new Got("withdraw", done, failure));
              ctx.pipe(
                  ctx.handOver(new HandOver("other", "talk", List.of(), content)),
                  (done, failure) -> new Got("hand-over", done, failure));
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              String text = got.what() + " " + got.value() + " " + got.failure();
              ctx.space("desk").put(EntryKey.of(got.what()), Content.text(text));
              heard.add(text);
              return Behaviors.same();
            })
        .build();
  }

  private TestNode node;
  private Agents agents;

  @BeforeEach
  void start() {
    node =
        TestNode.start(new MemoryStore(StoreScope.ALL), "akka.cluster.roles = [agent-type-user]");
    AgentType<Msg> type = AgentType.of("user", Msg.class, this::create).inbox(Told::new);
    agents =
        await(AgentSystem.start(node.system(), node.spaces(), List.of(type), Optional.of(router)));
    await(node.spaces().create(ANNA, CreateSpace.shared("desk"), WriteOptions.DEFAULT));
    await(agents.spawn(ANNA, AgentSpec.of("user", "a", AgentMount.of("desk", Access.READ_WRITE))));
  }

  @AfterEach
  void end() {
    node.close();
  }

  private List<String> heard(int count) throws InterruptedException {
    List<String> all = new java.util.ArrayList<>();
    while (all.size() < count) {
      String next = heard.poll(30, TimeUnit.SECONDS);
      assertThat(next).as("after %s", all).isNotNull();
      all.add(next);
    }
    return all;
  }

  @Test
  void whatTheRouterAnsweredIsAnsweredAgain() throws InterruptedException {
    await(agents.send(ANNA, "a", Content.text("refunds"), WriteOptions.DEFAULT));
    List<String> then = heard(4);
    assertThat(then)
        .anySatisfy(each -> assertThat(each).startsWith("route Published[id=id-"))
        .anySatisfy(each -> assertThat(each).startsWith("withdraw null"))
        .anySatisfy(each -> assertThat(each).startsWith("offer RegisteredRoute"));
    int routed = calls.get();

    OperationInfo done =
        await(
            agents
                .reruns()
                .rerun(ANNA, "a", Instant.EPOCH, RerunCase.LAST, Optional.empty(), Set.of()));
    assertThat(heard(4)).isEqualTo(then);
    while (done.state() == OperationInfo.State.RUNNING) {
      done = await(NucleusMem.get(node.system()).operations().get(ANNA, done.id()));
    }
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).as(done.toString()).doesNotContainKeys("diverged_at", "not_played");
    assertThat(calls.get()).isEqualTo(routed);
  }
}
