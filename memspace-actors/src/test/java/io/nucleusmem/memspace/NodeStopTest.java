package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import akka.Done;
import akka.actor.CoordinatedShutdown;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** The only node stops while it is in use: by itself, not because a time is up. */
@Timeout(300)
class NodeStopTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Logger SHARDING =
      (Logger) LoggerFactory.getLogger("akka.cluster.sharding.ShardRegion");

  private final KvStore store = new MemoryStore(StoreScope.ALL);
  private final TestNode node = TestNode.start(store, "nucleusmem.memspace.call-timeout = 2s");
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  private enum Because implements CoordinatedShutdown.Reason {
    STOPS
  }

  @BeforeEach
  void listen() {
    log.list = new CopyOnWriteArrayList<>();
    log.start();
    SHARDING.addAppender(log);
  }

  @AfterEach
  void stop() {
    SHARDING.detachAppender(log);
    node.close();
    store.close();
  }

  @Test
  void writersWatchesAndPullsDoNotHoldUpTheStop() {
    MountInfo mount =
        await(node.spaces().create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT)).mount();
    MountedSpace space = await(node.spaces().open(ANNA, mount.id()));
    MountedTopic topic = space.topic("news");
    await(topic.publish(Content.text("one"), Optional.empty(), WriteOptions.DEFAULT));
    await(topic.subscribe("waits", SubscriptionSpec.latest()));
    await(
        space.watch(
            WatchRequest.of(Region.MEMORY, "").from(1),
            event -> CompletableFuture.completedFuture(null)));
    CompletionStage<List<Delivery>> pull = topic.pull("waits", 1, Duration.ofMinutes(1));
    CompletableFuture<Throwable> refused = new CompletableFuture<>();
    CoordinatedShutdown.get(node.system())
        .addTask(
            CoordinatedShutdown.PhaseClusterShardingShutdownRegion(),
            "somebody-goes-on-writing",
            () -> {
              write(space, refused);
              return refused.thenApply(why -> Done.getInstance());
            });

    CoordinatedShutdown.get(node.system()).runAll(Because.STOPS);
    await(node.system().getWhenTerminated());

    assertThat(refused).isCompleted();
    assertThat(Calls.explain(refused.join()).code()).isEqualTo(ErrorCode.UNAVAILABLE);
    eventually(() -> pull.toCompletableFuture().isDone());
    assertThat(log.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .noneMatch(line -> line.contains("timed out"));
  }

  /** Writes until that is refused. */
  private static void write(MountedSpace space, CompletableFuture<Throwable> refused) {
    space
        .put(EntryKey.of("k"), Content.text("v"))
        .whenComplete(
            (written, failure) -> {
              if (failure == null) {
                write(space, refused);
              } else {
                refused.complete(failure);
              }
            });
  }
}
