package io.nucleusmem.routing.router;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.Recipients;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RoutedMessage;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.Routing.Routed;
import io.nucleusmem.routing.RoutingDecision;
import io.nucleusmem.routing.Target;
import io.nucleusmem.routing.WordTrainer;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The router on several nodes: shared routes and decisions, and each node decides for itself. */
@Timeout(240)
class RoutingClusterTest {
  private static final Principal ANNA = Principal.of("anna");

  /** There are no agents. */
  private static final Recipients NOBODY =
      new Recipients() {
        @Override
        public CompletionStage<Boolean> exists(String agent) {
          return CompletableFuture.completedStage(false);
        }

        @Override
        public boolean hosts(String type) {
          return false;
        }

        @Override
        public CompletionStage<List<String>> instances(String type) {
          return CompletableFuture.completedStage(List.of());
        }

        @Override
        public CompletionStage<Published> send(
            String sender, String agent, Content content, WriteOptions options) {
          throw new AssertionError("nothing is for agents here");
        }
      };

  private final KvStore store = new MemoryStore(StoreScope.REGION);
  private final List<TestNode> nodes = new ArrayList<>();
  private final List<Routing> routers = new ArrayList<>();

  @BeforeEach
  void start() {
    nodes.add(TestNode.start(store));
    nodes.add(TestNode.join(nodes.get(0), store, ""));
    nodes.forEach(TestNode::spaces); // hosts spaces from now on
    nodes.forEach(node -> node.awaitRegions(nodes.size()));
    for (TestNode node : nodes) {
      routers.add(
          await(
              RoutingSystem.start(
                  node.system(), node.spaces(), NOBODY, new WordTrainer(), NoChooser.NONE)));
    }
    await(nodes.get(0).spaces().create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT));
  }

  @AfterEach
  void stop() {
    nodes.forEach(TestNode::close);
    store.close();
  }

  private static Route route(String name) {
    return new Route(name, new Target.Topic("s", name), "take " + name, List.of(), Map.of());
  }

  private Optional<String> chosen(int node, String text) {
    return await(routers.get(node).dryRun(ANNA, text, ReadAt.LATEST, 5)).answer().route();
  }

  private Routed say(int node, String text, String requestId) {
    return await(
        routers
            .get(node)
            .route(
                new RoutedMessage(
                    ANNA.name(), Content.text(text), Optional.empty(), Optional.of(requestId))));
  }

  @Test
  void routesOfOneNodeAreUsedByTheOthersAndDecisionsAreReadOnAny() {
    await(routers.get(0).routes().put(ANNA, route("red"), Set.of()));
    assertThat(chosen(0, "take red")).as("at once where it was made").contains("red");
    eventually(() -> chosen(1, "take red").equals(Optional.of("red")));

    Routed sent = say(1, "take red", "request-0123456789");
    assertThat(sent.published().id()).startsWith("red/");
    RoutingDecision decision = await(routers.get(0).decision(ANNA, sent.decision().id()));
    assertThat(decision.route()).isEqualTo("red");
    assertThat(decision.text()).isEqualTo("take red");

    await(routers.get(1).routes().withdraw(ANNA, "red"));
    eventually(() -> chosen(0, "take red").isEmpty());
  }

  @Test
  void sameRequestOnAnotherNodeIsDecidedAndDeliveredOnce() {
    await(routers.get(0).routes().put(ANNA, route("red"), Set.of()));
    Routed first = say(0, "take red", "request-0123456789");
    Routed again = say(1, "take red", "request-0123456789");
    assertThat(again.decision().id()).isEqualTo(first.decision().id());
    assertThat(again.published().id()).isEqualTo(first.published().id());
    MountedTopic topic = await(nodes.get(1).spaces().openOnly(ANNA, "s")).topic("red");
    assertThat(await(topic.message(1))).map(Message::sender).contains("router");
    assertThat(await(topic.message(2))).isEmpty();
  }
}
