package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A node is gone, and what it owned goes on elsewhere without anybody's doing. */
class NodeDeathTest {
  private static final Principal ANNA = Principal.of("anna");
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

    nodes.get(2).die();

    for (int i = 0; i < SPACES; i++) {
      MountedSpace space = spaces.get(i);
      Written after = eventuallyWritten(space);
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

  /** A client's own retry, with one request id. */
  private static Written eventuallyWritten(MountedSpace space) {
    WriteOptions once = WriteOptions.id(UUID.randomUUID().toString());
    List<Operation> put = List.of(new Operation.Put(EntryKey.of("after"), Content.text("y")));
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (true) {
      try {
        return space.write(put, once).toCompletableFuture().join();
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
