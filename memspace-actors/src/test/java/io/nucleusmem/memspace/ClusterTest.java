package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.cluster.typed.Cluster;
import io.nucleusmem.NucleusMem;
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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Nodes that share a store, each with a network between it and the others: whatever is asked for
 * here may be owned there.
 */
class ClusterTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Principal BEN = Principal.of("ben");
  private static final int SPACES = 12; // some are owned by each node

  static final List<TestNode> NODES = new ArrayList<>();

  @BeforeAll
  static void start() {
    MemoryStore store =
        new MemoryStore(
            StoreScope.REGION,
            ForkJoinPool.commonPool(),
            System::currentTimeMillis,
            FaultPlan.NONE,
            Resends.CHECKED);
    NODES.addAll(TestNode.cluster(store, 3));
  }

  @AfterAll
  static void stop() {
    NODES.forEach(TestNode::close);
  }

  private static MemSpaces at(int node) {
    return NODES.get(node).spaces();
  }

  private static MountedSpace create(int node) {
    String name = "s-" + UUID.randomUUID();
    CreatedSpace created =
        await(at(node).create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
    return await(at(node).open(ANNA, created.mount().id()));
  }

  private static MountedSpace open(int node, MountedSpace space) {
    return await(at(node).open(ANNA, space.mount().id()));
  }

  @Test
  void writesThroughEveryNodeAreReadThroughEveryNode() {
    for (int s = 0; s < SPACES; s++) {
      MountedSpace space = create(s % 3);
      Set<Long> revisions = new HashSet<>();
      for (int node = 0; node < 3; node++) {
        MountedSpace mounted = open(node, space);
        revisions.add(
            await(mounted.put(EntryKey.of("k" + node), Content.text("from " + node))).revision());
        for (int reader = 0; reader < 3; reader++) {
          assertThat(await(open(reader, space).get(EntryKey.of("k" + node))).orElseThrow().text())
              .isEqualTo("from " + node);
        }
      }
      assertThat(revisions).as("g2").hasSize(3).allMatch(revision -> revision <= 3);
    }
    assertThat(NODES)
        .as("each owns some")
        .allMatch(node -> NucleusMem.get(node.system()).system().owners() > 0);
  }

  @Test
  void allOperationsCrossNodes() {
    for (int s = 0; s < SPACES; s++) {
      MountedSpace here = create(0);
      MountedSpace there = open(1, here);
      await(there.add(EntryKey.of("n"), 5));
      assertThat(await(here.add(EntryKey.of("n"), 2)).value().text()).isEqualTo("7");
      assertThat(await(there.merge(EntryKey.of("j"), "{\"a\":1}")).value().text())
          .isEqualTo("{\"a\":1}");
      String appended = await(there.append(EntryKey.of("log/"), Content.text("x"))).key().name();
      assertThat(await(here.get(EntryKey.of(appended)))).isPresent();
      RevisionMismatchException mismatch =
          catchThrowableOfType(
              RevisionMismatchException.class,
              () -> await(there.putIfRevision(EntryKey.of("n"), Content.text("0"), 1)));
      assertThat(mismatch.currentRevision()).isEqualTo(2);
      assertThat(mismatch.current().orElseThrow().text()).isEqualTo("7");
      await(here.put(EntryKey.task("t/1"), Content.text("work")));
      Claim claim = await(there.claim(EntryKey.task("t/"), "w", Duration.ofMinutes(1), 1)).get(0);
      assertThat(await(here.claim(EntryKey.task("t/"), "v", Duration.ofMinutes(1), 1))).isEmpty();
      assertThat(await(there.renew(claim.entry().key(), claim.token(), Duration.ofMinutes(2))))
          .isNotNull();
      await(there.release(claim.entry().key(), claim.token()));
      assertThat(await(at(2).describe(ANNA, here.mount().space())).name())
          .isEqualTo(here.mount().space());
      await(there.delete(EntryKey.of("n")));
      assertThat(await(here.get(EntryKey.of("n")))).isEmpty();
    }
  }

  @Test
  void g5WatchesOfOtherNodesSpacesMissNothing() throws Exception {
    for (int s = 0; s < SPACES; s++) {
      MountedSpace space = create(s % 3);
      BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
      Watch watch =
          await(
              open((s + 1) % 3, space)
                  .watch(
                      WatchRequest.of(Region.MEMORY, "").from(1).withValues(),
                      event -> {
                        if (event instanceof WatchEvent.Signals some) {
                          signals.addAll(some.signals());
                        }
                        return CompletableFuture.completedFuture(null);
                      }));
      MountedSpace writer = open((s + 2) % 3, space);
      for (int i = 1; i <= 20; i++) {
        await(writer.put(EntryKey.of("k"), Content.text("v" + i)));
      }
      for (int i = 1; i <= 20; i++) {
        Signal signal = signals.poll(120, TimeUnit.SECONDS);
        assertThat(signal).isNotNull();
        assertThat(signal.revision()).isEqualTo(i);
        assertThat(signal.content().orElseThrow().text()).isEqualTo("v" + i);
      }
      watch.close();
    }
  }

  @Test
  void g9RevocationHoldsOnEveryNodeWhenItsCallReturns() {
    for (int s = 0; s < SPACES; s++) {
      MountedSpace space = create(0);
      await(space.put(EntryKey.of("k"), Content.text("v")));
      MountedSpace bens =
          await(at(1).mount(BEN, space.mount().space(), MountRequest.of("ben", Access.READ_WRITE)));
      assertThat(await(bens.get(EntryKey.of("k")))).isPresent();
      await(at(2).unmount(ANNA, bens.mount().id()));
      assertThat(refusal(bens.get(EntryKey.of("k")))).isEqualTo(ErrorCode.MOUNT_REVOKED);
      assertThat(refusal(bens.put(EntryKey.of("k"), Content.text("w"))))
          .isEqualTo(ErrorCode.MOUNT_REVOKED);
    }
  }

  @Test
  void topicsAndSubscriptionsCrossNodes() {
    for (int s = 0; s < SPACES; s++) {
      MountedSpace space = create(s % 3);
      MountedTopic here = open(0, space).topic("news");
      MountedTopic there = open(1, space).topic("news");
      Published first =
          await(here.publish(Content.text("one"), Optional.empty(), WriteOptions.DEFAULT));
      assertThat(first.revision()).isEqualTo(1);
      await(there.publish(Content.text("two"), Optional.of("me"), WriteOptions.DEFAULT));
      MountedTopic reader = open(2, space).topic("news");
      await(reader.subscribe("all", SubscriptionSpec.earliest()));
      List<Delivery> taken = await(reader.pull("all", 10, Duration.ofSeconds(5)));
      assertThat(taken).extracting(each -> each.message().content().text()).contains("one");
      await(reader.ack("all", taken.stream().map(each -> each.message().revision()).toList()));
      assertThat(await(here.subscriptions())).extracting(SubscriptionInfo::name).contains("all");
    }
  }

  @Test
  void everyNodeKnowsWhereASpaceLives() {
    Set<String> members = new HashSet<>();
    NODES.forEach(
        node -> members.add(Cluster.get(node.system()).selfMember().address().toString()));
    Set<String> homes = new HashSet<>();
    for (int s = 0; s < SPACES; s++) {
      String space = create(0).mount().space();
      String home = await(at(0).home(ANNA, space));
      assertThat(members).contains(home);
      assertThat(await(at(1).home(ANNA, space))).isEqualTo(home);
      assertThat(await(at(2).home(BEN, space))).as("a shared space is seen").isEqualTo(home);
      homes.add(home);
    }
    assertThat(homes).isEqualTo(members);
    assertThat(refusal(at(1).home(ANNA, "nowhere"))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
  }

  private static ErrorCode refusal(CompletionStage<?> stage) {
    return catchThrowableOfType(MemSpaceException.class, () -> await(stage)).code();
  }
}
