package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.store.rocksdb.RocksDbSettings;
import io.nucleusmem.store.rocksdb.RocksDbStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** G1: a node and its store are closed and opened again over the same directory. */
class RestartTest {
  static final Principal ANNA = Principal.of("anna");
  static final Principal BEN = Principal.of("ben");

  @TempDir Path dir;
  RocksDbStore store;
  TestNode node;
  MemSpaces spaces;

  @BeforeEach
  void start() {
    store = RocksDbStore.open(RocksDbSettings.at(dir), ForkJoinPool.commonPool());
    node = TestNode.start(store);
    spaces = node.spaces();
  }

  @AfterEach
  void stop() {
    node.close();
    store.close();
  }

  void restart() {
    stop();
    start();
  }

  @Test
  void g1SpaceIsAsItWasMadeAndChanged() {
    Retention kept = new Retention(Optional.of(Duration.ofDays(7)), OptionalLong.of(3));
    CreateSpace request =
        new CreateSpace("plans", SpaceKind.PRIVATE, Optional.empty(), Map.of("team", "red"), kept);
    await(spaces.create(ANNA, request, WriteOptions.DEFAULT));
    await(spaces.create(BEN, CreateSpace.shared("board"), WriteOptions.DEFAULT));
    await(spaces.create(BEN, CreateSpace.shared("gone"), WriteOptions.DEFAULT));
    await(spaces.archive(BEN, "board"));
    await(spaces.delete(BEN, "gone"));
    await(
        spaces.update(
            ANNA,
            "plans",
            new UpdateSpace(
                Optional.of(Map.of("team", "blue")), Optional.empty(), Optional.of("ben"))));
    SpaceInfo plans = await(spaces.describe(BEN, "plans"));
    SpaceInfo board = await(spaces.describe(BEN, "board"));
    restart();
    assertThat(await(spaces.describe(BEN, "plans"))).isEqualTo(plans);
    assertThat(plans.retention()).isEqualTo(kept);
    assertThat(plans.owner()).isEqualTo("ben");
    assertThat(plans.labels()).isEqualTo(Map.of("team", "blue"));
    assertThat(await(spaces.describe(ANNA, "board"))).isEqualTo(board);
    assertThat(board.state()).isEqualTo(SpaceInfo.State.ARCHIVED);
    assertThat(await(spaces.list(BEN, Optional.empty(), 10, Optional.empty())).items())
        .containsExactly(board, plans);
    assertThat(await(spaces.list(BEN, Optional.of("team:blue"), 10, Optional.empty())).items())
        .containsExactly(plans);
  }

  @Test
  void g1EntriesTheirHistoryAndTheFloorAreKept() {
    MountedSpace space = make();
    EntryKey key = EntryKey.of("k");
    for (int i = 1; i <= 6; i++) {
      await(space.put(key, Content.text("v" + i)));
    }
    await(space.delete(key));
    await(NucleusMem.get(node.system()).system().compact("s", 3));
    List<Entry> history = await(space.history(key, 10, Optional.empty())).items();
    restart();
    space = await(spaces.openOnly(ANNA, "s"));
    assertThat(await(space.get(key))).isEmpty();
    assertThat(await(space.history(key, 10, Optional.empty())).items()).isEqualTo(history);
    assertThat(await(space.get(key, ReadAt.revision(4))).orElseThrow().text()).isEqualTo("v4");
    MountedSpace opened = space;
    assertThat(
            SpaceFixture.failure(CompactedException.class, opened.get(key, ReadAt.revision(2)))
                .oldest())
        .isEqualTo(3);
    assertThat(await(space.put(key, Content.text("next"))).revision()).isGreaterThan(7);
  }

  MountedSpace make() {
    await(spaces.create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT));
    return await(spaces.openOnly(ANNA, "s"));
  }

  @Test
  void g9MountsTheirLimitsAndRevocationsAreKept() {
    MountedSpace space = make();
    MountRequest limits =
        new MountRequest(
            "ben",
            Access.APPEND_ONLY,
            Set.of(Region.MEMORY, Region.COMM),
            List.of("a/"),
            Set.of("news"));
    MountInfo kept = await(spaces.mount(BEN, "s", limits)).mount();
    MountInfo revoked = await(spaces.mount(BEN, "s", limits)).mount();
    await(spaces.unmount(ANNA, revoked.id()));
    await(space.put(EntryKey.of("b/1"), Content.text("secret")));
    restart();
    assertThat(await(spaces.mounts(ANNA, "s"))).containsExactlyInAnyOrder(space.mount(), kept);
    assertThat(SpaceFixture.refusal(spaces.open(BEN, revoked.id())))
        .isEqualTo(ErrorCode.MOUNT_REVOKED);
    MountedSpace ben = await(spaces.open(BEN, kept.id()));
    assertThat(ben.mount()).isEqualTo(kept);
    assertThat(await(ben.get(EntryKey.of("b/1")))).isEmpty();
    assertThat(SpaceFixture.refusal(ben.put(EntryKey.of("a/1"), Content.text("x"))))
        .isEqualTo(ErrorCode.FORBIDDEN);
    await(ben.append(EntryKey.of("a/"), Content.text("line")));
  }

  @Test
  void g1TopicsSubscriptionsAndClaimsGoOnWhereTheyWere() {
    MountedSpace space = make();
    MountedTopic topic = space.topic("news");
    await(topic.subscribe("s", SubscriptionSpec.earliest()));
    for (int i = 1; i <= 4; i++) {
      await(topic.publish(Content.text("m" + i)));
    }
    await(topic.pull("s", 2, Duration.ofSeconds(10)));
    await(topic.ack("s", List.of(1L, 2L)));
    await(space.put(EntryKey.task("q/1"), Content.text("one")));
    await(space.put(EntryKey.task("q/2"), Content.text("two")));
    Claim claim = await(space.claim(EntryKey.task("q/"), "w", Duration.ofMinutes(30), 1)).get(0);
    restart();
    space = await(spaces.openOnly(ANNA, "s"));
    topic = space.topic("news");
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(2);
    assertThat(await(topic.pull("s", 10, Duration.ofSeconds(10))))
        .extracting(delivery -> delivery.message().content().text())
        .containsExactly("m3", "m4");
    assertThat(await(topic.publish(Content.text("m5"))).revision()).isEqualTo(5);
    assertThat(await(space.claim(EntryKey.task("q/"), "w", Duration.ofMinutes(1), 10)))
        .extracting(each -> each.entry().text())
        .containsExactly("two");
    await(
        space.write(
            new Operation.Delete(
                EntryKey.task("q/1"), Operation.ANY, OptionalLong.of(claim.token()))));
  }
}
