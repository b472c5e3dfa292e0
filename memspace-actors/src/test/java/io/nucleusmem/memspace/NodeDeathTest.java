package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import akka.cluster.typed.Cluster;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node is gone, and what it owned goes on elsewhere without anybody's doing. */
@Timeout(480)
class NodeDeathTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Duration WAIT = Duration.ofSeconds(10);
  private static final int SPACES = 9; // some are owned by the node that dies

  private final List<TestNode> nodes = new ArrayList<>();
  private final List<MountedSpace> spaces = new ArrayList<>();

  @BeforeEach
  void start() {
    nodes.addAll(
        TestNode.cluster(
            new MemoryStore(
                StoreScope.REGION,
                ForkJoinPool.commonPool(),
                System::currentTimeMillis,
                FaultPlan.NONE,
                Resends.CHECKED),
            3));
    for (int i = 0; i < SPACES; i++) {
      String name = "s-" + UUID.randomUUID();
      CreatedSpace created =
          await(nodes.get(0).spaces().create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
      spaces.add(await(nodes.get(0).spaces().open(ANNA, created.mount().id())));
    }
  }

  @AfterEach
  void stop() {
    nodes.forEach(TestNode::close);
  }

  @Test
  void writesClaimsAndWatchesOfOthersGoOn() {
    List<ConcurrentLinkedQueue<Long>> seen = new ArrayList<>();
    List<Claim> claims = new ArrayList<>();
    for (MountedSpace space : spaces) {
      ConcurrentLinkedQueue<Long> revisions = new ConcurrentLinkedQueue<>();
      seen.add(revisions);
      await(
          space.watch(
              WatchRequest.of(Region.MEMORY, "").from(1),
              event -> {
                if (event instanceof WatchEvent.Signals some) {
                  some.signals().forEach(signal -> revisions.add(signal.revision()));
                }
                return CompletableFuture.completedFuture(null);
              }));
      await(space.put(EntryKey.of("before"), Content.text("x")));
      await(space.put(EntryKey.task("t/1"), Content.text("work")));
      claims.add(await(space.claim(EntryKey.task("t/"), "w", Duration.ofMinutes(5), 1)).get(0));
    }

    String dead = Cluster.get(nodes.get(2).system()).selfMember().address().toString();

    nodes.get(2).die();

    for (int i = 0; i < SPACES; i++) {
      MountedSpace space = spaces.get(i);
      Written after = eventuallyWritten(space);
      assertThat(await(nodes.get(1).spaces().home(ANNA, space.mount().space()))).isNotEqualTo(dead);
      assertThat(await(space.get(EntryKey.of("before"))).orElseThrow().text()).isEqualTo("x");
      assertThat(await(space.claim(EntryKey.task("t/"), "v", Duration.ofMinutes(5), 1))).isEmpty();
      assertThat(
              await(
                  space.renew(
                      claims.get(i).entry().key(), claims.get(i).token(), Duration.ofMinutes(9))))
          .isNotNull();
      ConcurrentLinkedQueue<Long> revisions = seen.get(i);
      TestNode.eventually(() -> revisions.contains(after.revision()));
      assertThat(revisions).as("g5: in order, once").containsExactly(1L, after.revision());
    }
  }

  @Test
  void subscriptionsGoOnFromWhereTheyWere() {
    List<MountedTopic> topics = new ArrayList<>();
    for (MountedSpace space : spaces) {
      MountedTopic topic = space.topic("news");
      topics.add(topic);
      for (String text : List.of("one", "two", "three")) {
        await(topic.publish(Content.text(text), Optional.empty(), WriteOptions.DEFAULT));
      }
      await(topic.subscribe("s", SubscriptionSpec.earliest()));
      assertThat(texts(await(topic.pull("s", 1, WAIT)))).containsExactly("one");
      await(topic.ack("s", List.of(1L)));
    }

    nodes.get(2).die();

    for (MountedTopic topic : topics) {
      WriteOptions once = WriteOptions.id(UUID.randomUUID().toString());
      assertThat(retried(() -> topic.publish(Content.text("four"), Optional.empty(), once)))
          .extracting(Published::revision)
          .isEqualTo(4L);
      // at least once: the acknowledgement of the first one may have died unsaved
      Set<String> seen = new HashSet<>();
      while (!seen.containsAll(List.of("two", "three", "four"))) {
        List<Delivery> some = retried(() -> topic.pull("s", 10, WAIT));
        seen.addAll(texts(some));
        List<Long> revisions = some.stream().map(each -> each.message().revision()).toList();
        retried(() -> topic.ack("s", revisions));
      }
      TestNode.eventually(() -> await(topic.subscription("s")).cursor() == 4);
    }
  }

  private static List<String> texts(List<Delivery> deliveries) {
    return deliveries.stream().map(each -> each.message().content().text()).toList();
  }

  private static Written eventuallyWritten(MountedSpace space) {
    WriteOptions once = WriteOptions.id(UUID.randomUUID().toString());
    List<Operation> put = List.of(new Operation.Put(EntryKey.of("after"), Content.text("y")));
    return retried(() -> space.write(put, once));
  }

  /** A client's own retry of what may be tried again. */
  private static <T> T retried(Supplier<CompletionStage<T>> call) {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (true) {
      try {
        return call.get().toCompletableFuture().join();
      } catch (CompletionException e) {
        boolean again =
            e.getCause() instanceof MemSpaceException refused && refused.code().retryable();
        if (!again || System.nanoTime() > deadline) {
          throw e;
        }
      }
    }
  }
}
