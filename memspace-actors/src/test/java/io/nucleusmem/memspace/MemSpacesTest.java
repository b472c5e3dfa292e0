package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nucleusmem.store.rocksdb.RocksDbSettings;
import io.nucleusmem.store.rocksdb.RocksDbStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemSpacesTest {
  static final Principal ANNA = Principal.of("anna");
  static final Principal BEN = Principal.of("ben");
  static TestNode node;

  MemSpaces spaces;
  String name;
  MountedSpace space;

  @BeforeAll
  static void start(@TempDir java.nio.file.Path dir) {
    node =
        TestNode.start(
            RocksDbStore.open(
                RocksDbSettings.at(dir), java.util.concurrent.ForkJoinPool.commonPool()));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    spaces = node.spaces();
    name = "s-" + UUID.randomUUID();
    CreatedSpace created =
        await(spaces.create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
    space = await(spaces.open(ANNA, created.mount().id()));
  }

  ErrorCode refusal(CompletionStage<?> stage) {
    return catchThrowableOfType(MemSpaceException.class, () -> await(stage)).code();
  }

  @Test
  void putThenGetShowsValueRevisionAndAuthor() {
    Written written = await(space.put(EntryKey.of("k"), Content.text("v")));
    Entry entry = await(space.get(EntryKey.of("k"))).orElseThrow();
    assertThat(written.revision()).isEqualTo(1);
    assertThat(entry.text()).isEqualTo("v");
    assertThat(entry.revision()).isEqualTo(1);
    assertThat(entry.author()).isEqualTo("anna");
  }

  @Test
  void g2RevisionsHaveNoGaps() {
    List<CompletionStage<Written>> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(space.put(EntryKey.of("k" + i), Content.text("v")));
    }
    assertThat(all.stream().map(stage -> await(stage).revision()).sorted().toList())
        .isEqualTo(java.util.stream.LongStream.rangeClosed(1, 200).boxed().toList());
  }

  @Test
  void g4CompareAndSetTellsWhatIsThere() {
    await(space.put(EntryKey.of("k"), Content.text("one")));
    RevisionMismatchException refused =
        catchThrowableOfType(
            RevisionMismatchException.class,
            () -> await(space.putIfRevision(EntryKey.of("k"), Content.text("x"), 7)));
    assertThat(refused.currentRevision()).isEqualTo(1);
    assertThat(refused.current().orElseThrow().text()).isEqualTo("one");
    assertThat(await(space.putIfRevision(EntryKey.of("k"), Content.text("two"), 1)).revision())
        .isEqualTo(2);
  }

  @Test
  void g4SameRequestIdIsAppliedOnceAndAnotherRequestUnderItIsRefused() {
    WriteOptions id = WriteOptions.id(UUID.randomUUID().toString());
    Operation put = new Operation.Put(EntryKey.of("k"), Content.text("v"));
    Written first = await(space.write(List.of(put), id));
    Written again = await(space.write(List.of(put), id));
    assertThat(again.revision()).isEqualTo(first.revision());
    assertThat(again.replayed()).isTrue();
    assertThat(
            refusal(
                space.write(List.of(new Operation.Put(EntryKey.of("k"), Content.text("w"))), id)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
  }

  @Test
  void appendAddAndMergeAreDecidedAtTheOwner() {
    assertThat(await(space.append(EntryKey.of("log/"), Content.text("a"))).key().name())
        .isEqualTo("log/00000000000000000001");
    await(space.add(EntryKey.of("n"), 5));
    assertThat(await(space.add(EntryKey.of("n"), -7)).value().text()).isEqualTo("-2");
    await(space.put(EntryKey.of("j"), Content.json("{\"a\":1,\"b\":2}")));
    assertThat(await(space.merge(EntryKey.of("j"), "{\"a\":null,\"c\":3}")).value().text())
        .isEqualTo("{\"b\":2,\"c\":3}");
    assertThat(refusal(space.merge(EntryKey.of("n"), "nonsense"))).isEqualTo(ErrorCode.NOT_JSON);
  }

  @Test
  void deletedEntryIsGoneAndItsHistoryStays() {
    await(space.put(EntryKey.of("k"), Content.text("one")));
    await(space.delete(EntryKey.of("k")));
    assertThat(await(space.get(EntryKey.of("k")))).isEmpty();
    assertThat(refusal(space.delete(EntryKey.of("k")))).isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
    assertThat(await(space.get(EntryKey.of("k"), ReadAt.revision(1))).orElseThrow().text())
        .isEqualTo("one");
    assertThat(await(space.history(EntryKey.of("k"), 10, Optional.empty())).items())
        .extracting(Entry::deleted)
        .containsExactly(true, false);
  }

  @Test
  void g7PagesOfAScanShowOneRevision() {
    for (int i = 0; i < 10; i++) {
      await(space.put(EntryKey.of("p/" + i), Content.text("old")));
    }
    Paged<Entry> first = await(space.scan(ScanRequest.of(Region.MEMORY, "p/").limit(4)));
    await(space.put(EntryKey.of("p/7"), Content.text("new")));
    await(space.delete(EntryKey.of("p/8")));
    List<Entry> all = new ArrayList<>(first.items());
    Optional<String> next = first.next();
    while (next.isPresent()) {
      Paged<Entry> page =
          await(space.scan(ScanRequest.of(Region.MEMORY, "p/").limit(4).after(next.get())));
      all.addAll(page.items());
      next = page.next();
    }
    assertThat(all).hasSize(10).extracting(Entry::text).containsOnly("old");
  }

  @Test
  void g9RevokedMountReadsAndWritesNothing() {
    await(space.put(EntryKey.of("k"), Content.text("v")));
    MountedSpace ben = await(spaces.mount(BEN, name, MountRequest.of("ben", Access.READ_ONLY)));
    assertThat(await(ben.get(EntryKey.of("k")))).isPresent();
    assertThat(refusal(ben.put(EntryKey.of("k"), Content.text("x"))))
        .isEqualTo(ErrorCode.FORBIDDEN);
    await(spaces.unmount(ANNA, ben.mount().id()));
    assertThat(refusal(ben.get(EntryKey.of("k")))).isEqualTo(ErrorCode.MOUNT_REVOKED);
  }

  @Test
  void g9WhatAMountDoesNotCoverDoesNotExist() {
    await(space.put(EntryKey.of("a/1"), Content.text("v")));
    await(space.put(EntryKey.of("b/1"), Content.text("v")));
    MountedSpace ben =
        await(
            spaces.mount(
                BEN,
                name,
                new MountRequest(
                    "ben",
                    Access.READ_ONLY,
                    java.util.Set.of(),
                    List.of("a/"),
                    java.util.Set.of())));
    assertThat(await(ben.get(EntryKey.of("b/1")))).isEmpty();
    assertThat(await(ben.scan(ScanRequest.of(Region.MEMORY, ""))).items())
        .extracting(entry -> entry.key().name())
        .containsExactly("a/1");
  }

  @Test
  void g9PrivateSpaceIsMountedOnlyForItsOwner() {
    String mine = "p-" + UUID.randomUUID();
    await(spaces.create(ANNA, CreateSpace.privateOf(mine), WriteOptions.DEFAULT));
    assertThat(refusal(spaces.mount(BEN, mine, MountRequest.of("ben", Access.READ_ONLY))))
        .isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(refusal(spaces.describe(BEN, mine))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
  }

  @Test
  void claimedTaskIsWrittenOnlyWithItsToken() {
    await(space.put(EntryKey.task("q/1"), Content.text("one")));
    await(space.put(EntryKey.task("q/2"), Content.text("two")));
    List<Claim> first = await(space.claim(EntryKey.task("q/"), "w1", Duration.ofMinutes(1), 1));
    List<Claim> rest = await(space.claim(EntryKey.task("q/"), "w2", Duration.ofMinutes(1), 5));
    assertThat(first).extracting(claim -> claim.entry().text()).containsExactly("one");
    assertThat(rest).extracting(claim -> claim.entry().text()).containsExactly("two");
    assertThat(await(space.claim(EntryKey.task("q/"), "w3", Duration.ofMinutes(1), 5))).isEmpty();
    assertThat(refusal(space.delete(EntryKey.task("q/1")))).isEqualTo(ErrorCode.CLAIMED);
    OptionalLong token = OptionalLong.of(first.get(0).token());
    await(space.write(new Operation.Delete(EntryKey.task("q/1"), Operation.ANY, token)));
    await(space.release(EntryKey.task("q/2"), rest.get(0).token()));
    assertThat(await(space.claim(EntryKey.task("q/"), "w3", Duration.ofMinutes(1), 5)))
        .extracting(claim -> claim.entry().text())
        .containsExactly("two");
  }

  @Test
  void expiredClaimIsLostAndTheTaskIsClaimedAgain() {
    await(space.put(EntryKey.task("q/1"), Content.text("one")));
    Claim lost = await(space.claim(EntryKey.task("q/"), "w1", Duration.ofMillis(1), 1)).get(0);
    List<Claim> again = List.of();
    while (again.isEmpty()) {
      again = await(space.claim(EntryKey.task("q/"), "w2", Duration.ofMinutes(1), 1));
    }
    assertThat(again.get(0).token()).isGreaterThan(lost.token());
    assertThat(refusal(space.renew(EntryKey.task("q/1"), lost.token(), Duration.ofMinutes(1))))
        .isEqualTo(ErrorCode.CLAIM_LOST);
  }

  @Test
  void g5WatchSignalsEveryChangeInOrderAndPullsExactlyThatVersion() throws Exception {
    LinkedBlockingQueue<Signal> got = new LinkedBlockingQueue<>();
    WatchHandler handler =
        event -> {
          if (event instanceof WatchEvent.Signals signals) {
            got.addAll(signals.signals());
          }
          return CompletableFuture.completedFuture(null);
        };
    await(space.put(EntryKey.of("w/0"), Content.text("0")));
    Watch watch = await(space.watch(WatchRequest.of(Region.MEMORY, "w/").from(1), handler));
    for (int i = 1; i < 50; i++) {
      await(space.put(EntryKey.of("w/k"), Content.text("" + i)));
    }
    for (int i = 0; i < 50; i++) {
      Signal signal = got.poll(120, TimeUnit.SECONDS);
      assertThat(signal.revision()).isEqualTo(i + 1);
      assertThat(await(space.pull(signal.key(), signal.revision())).orElseThrow().text())
          .isEqualTo("" + i);
    }
    watch.close();
  }

  @Test
  void topicKeepsMessagesAndSubscriptionDeliversUntilAcknowledged() {
    MountedTopic topic = space.topic("news");
    await(
        topic.subscribe(
            "s",
            new SubscriptionSpec(
                new SubscriptionSpec.From.Earliest(), Optional.empty(), Duration.ofMinutes(5), 2)));
    Published published = await(topic.publish(Content.text("hello")));
    assertThat(published.id()).startsWith("news/").endsWith("/anna");
    List<Delivery> first = await(topic.pull("s", 10, Duration.ofSeconds(5)));
    assertThat(first).extracting(d -> d.message().content().text()).containsExactly("hello");
    await(topic.nack("s", List.of(published.revision())));
    List<Delivery> second = await(topic.pull("s", 10, Duration.ofSeconds(5)));
    assertThat(second).extracting(Delivery::delivery).containsExactly(2);
    await(topic.nack("s", List.of(published.revision())));
    Message dead = null;
    while (dead == null) {
      dead =
          await(space.topics(100, Optional.empty())).items().stream()
                  .anyMatch(t -> t.name().equals("news.dead"))
              ? await(space.topic("news.dead").fetch(MessageRange.all())).items().stream()
                  .findFirst()
                  .orElse(null)
              : null;
    }
    assertThat(dead.content().metadata()).containsEntry("dead-subscription", "s");
    assertThat(await(topic.pull("s", 10, Duration.ZERO))).isEmpty();
  }

  @Test
  void asOfAnInstantShowsWhatWasAcknowledgedUntilThen() {
    Written one = await(space.put(EntryKey.of("k"), Content.text("one")));
    Written two = one;
    while (!two.at().isAfter(one.at())) {
      two = await(space.put(EntryKey.of("k"), Content.text("two")));
    }
    assertThat(await(space.get(EntryKey.of("k"), ReadAt.instant(two.at()))).orElseThrow().text())
        .isEqualTo("two");
    assertThat(await(space.get(EntryKey.of("k"), ReadAt.instant(one.at().minusMillis(1)))))
        .isEmpty();
    assertThat(
            refusal(
                space.get(
                    EntryKey.of("k"), ReadAt.instant(java.time.Instant.now().plusSeconds(60)))))
        .isEqualTo(ErrorCode.AS_OF_IN_FUTURE);
  }

  @Test
  void archivedSpaceIsReadAndNotWrittenAndADeletedNameIsFree() {
    await(space.put(EntryKey.of("k"), Content.text("v")));
    await(spaces.archive(ANNA, name));
    assertThat(refusal(space.put(EntryKey.of("k"), Content.text("x"))))
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(await(space.get(EntryKey.of("k")))).isPresent();
    await(spaces.delete(ANNA, name));
    assertThat(refusal(spaces.describe(ANNA, name))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    await(spaces.create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
  }
}
