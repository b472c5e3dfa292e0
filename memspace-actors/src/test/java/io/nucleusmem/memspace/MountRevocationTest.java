package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** G9: mounts are listed with their holders, and a revocation holds when its call returns. */
class MountRevocationTest extends SpaceFixture {
  static final EntryKey KEY = EntryKey.of("k");
  static final EntryKey TASK = EntryKey.task("q/1");

  MountedSpace ben;

  @BeforeEach
  void mountBen() {
    await(space.put(KEY, Content.text("v")));
    await(space.put(TASK, Content.text("work")));
    await(space.topic("news").publish(Content.text("hello")));
    ben = mountForBen(Access.READ_WRITE);
  }

  void revoke() {
    await(spaces.unmount(ANNA, ben.mount().id()));
  }

  @Test
  void g9EveryOperationOfARevokedMountIsRefused() {
    MountedTopic topic = ben.topic("news");
    Claim claim = await(ben.claim(TASK, "w", Duration.ofMinutes(1), 1)).get(0);
    await(topic.subscribe("s", SubscriptionSpec.earliest()));
    String next =
        await(ben.history(KEY, 1, Optional.empty())).next().orElse(null); // whatever was begun
    assertThat(next).isNull();
    revoke();
    long before = await(spaces.describe(ANNA, name)).revision();
    List<CompletionStage<?>> calls =
        List.of(
            ben.get(KEY),
            ben.get(KEY, ReadAt.revision(1)),
            ben.get(KEY, ReadAt.instant(Instant.now())),
            ben.get(KEY, new ReadAt.Bounded(Duration.ofHours(1))),
            ben.pull(KEY, 1),
            ben.scan(ScanRequest.of(Region.MEMORY, "")),
            ben.history(KEY, 10, Optional.empty()),
            ben.watch(WatchRequest.of(Region.MEMORY, ""), new WatchRecorder()),
            ben.topics(10, Optional.empty()),
            ben.put(KEY, Content.text("x")),
            ben.append(KEY, Content.text("x")),
            ben.delete(KEY),
            ben.claim(TASK, "w", Duration.ofMinutes(1), 1),
            ben.renew(TASK, claim.token(), Duration.ofMinutes(1)),
            ben.release(TASK, claim.token()),
            ben.createTopic("other"),
            topic.publish(Content.text("x")),
            ben.topic("unmade").publish(Content.text("x")),
            topic.message(1),
            topic.fetch(MessageRange.all()),
            topic.watch(OptionalLong.empty(), Optional.empty(), false, new WatchRecorder()),
            topic.subscribe("t", SubscriptionSpec.earliest()),
            topic.pull("s", 1, Duration.ZERO),
            topic.ack("s", List.of(1L)),
            topic.nack("s", List.of(1L)),
            topic.subscription("s"),
            topic.subscriptions(),
            topic.unsubscribe("s"),
            spaces.open(BEN, ben.mount().id()));
    for (int i = 0; i < calls.size(); i++) {
      assertThat(refusal(calls.get(i))).as("call %d", i).isEqualTo(ErrorCode.MOUNT_REVOKED);
    }
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(before);
    assertThat(await(space.topics(10, Optional.empty())).items())
        .extracting(TopicInfo::name)
        .containsExactly("news");
    assertThat(await(space.topic("news").subscriptions()))
        .extracting(SubscriptionInfo::name)
        .containsExactly("s");
  }

  @Test
  void g9RunningWatchHearsNothingThatWasWrittenBehindTheRevocationAndEnds() {
    WatchRecorder entries = new WatchRecorder();
    WatchRecorder messages = new WatchRecorder();
    await(ben.watch(WatchRequest.of(Region.MEMORY, ""), entries));
    await(ben.topic("news").watch(OptionalLong.empty(), Optional.empty(), true, messages));
    long seen = await(space.put(KEY, Content.text("seen"))).revision();
    long heard = await(space.topic("news").publish(Content.text("seen"))).revision();
    entries.signalsUpTo(seen);
    messages.signalsUpTo(heard);
    revoke();
    await(space.put(KEY, Content.text("unseen")));
    await(space.topic("news").publish(Content.text("unseen")));
    for (WatchRecorder each : List.of(entries, messages)) {
      assertThat(((WatchEvent.Ended) each.end()).reason().code())
          .isEqualTo(ErrorCode.MOUNT_REVOKED);
      assertThat(each.signals(0)).hasSize(1);
    }
  }

  @Test
  void g9WatchThatFailsBehindDoesNotDeliverItsBacklogAfterTheRevocation() {
    WatchRecorder backlog = new WatchRecorder();
    var handled = new java.util.concurrent.CompletableFuture<Void>();
    backlog.handleUntil(handled);
    await(ben.watch(WatchRequest.of(Region.MEMORY, "").from(1), backlog));
    backlog.signals(1);
    await(space.put(KEY, Content.text("unseen")));
    revoke();
    handled.complete(null);
    assertThat(backlog.end()).isInstanceOf(WatchEvent.Ended.class);
    assertThat(backlog.signals(0)).hasSize(1);
  }

  @Test
  void g9PullThatWaitsGetsNoMessageThatWasPublishedBehindTheRevocation() {
    await(ben.topic("news").subscribe("s", SubscriptionSpec.latest()));
    var pull = ben.topic("news").pull("s", 10, Duration.ofSeconds(10));
    revoke();
    await(space.topic("news").publish(Content.text("unseen")));
    assertThat(refusal(pull)).isEqualTo(ErrorCode.MOUNT_REVOKED);
  }

  @Test
  void g9PageBehindARevocationIsRefused() {
    await(space.put(EntryKey.of("k2"), Content.text("v")));
    ScanRequest scan = ScanRequest.of(Region.MEMORY, "").limit(1);
    String next = await(ben.scan(scan)).next().orElseThrow();
    revoke();
    assertThat(refusal(ben.scan(scan.after(next)))).isEqualTo(ErrorCode.MOUNT_REVOKED);
  }

  @Test
  void g9OneMountsRevocationLeavesTheOthers() {
    MountedSpace other = mountForBen(Access.READ_ONLY);
    revoke();
    assertThat(textAt(other, "k")).contains("v");
    assertThat(textAt(space, "k")).contains("v");
    assertThat(await(spaces.openOnly(BEN, name)).mount().id()).isEqualTo(other.mount().id());
  }

  @Test
  void g9RevocationHoldsAlsoIfTheOwnerHasLeftMemorySinceTheMountWasUsed() {
    restart("nucleusmem.memspace { grant-lease = 1h, idle-timeout = 20ms }");
    MountedSpace held = await(spaces.open(BEN, ben.mount().id()));
    assertThat(textAt(held, "k")).contains("v");
    awaitOwnersGone();
    await(spaces.unmount(ANNA, ben.mount().id()));
    assertThat(refusal(held.get(KEY))).isEqualTo(ErrorCode.MOUNT_REVOKED);
    assertThat(refusal(held.topic("news").publish(Content.text("x"))))
        .isEqualTo(ErrorCode.MOUNT_REVOKED);
    restart("");
  }

  @Test
  void g9ArchivingHoldsAlsoIfTheOwnerHasLeftMemorySinceTheMountWasUsed() {
    restart("nucleusmem.memspace { grant-lease = 1h, idle-timeout = 20ms }");
    MountedSpace held = await(spaces.open(BEN, ben.mount().id()));
    assertThat(await(held.topic("news").publish(Content.text("x"))).revision()).isEqualTo(2);
    awaitOwnersGone();
    await(spaces.archive(ANNA, name));
    assertThat(refusal(held.topic("news").publish(Content.text("x"))))
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    restart("");
  }

  void awaitOwnersGone() {
    long until = System.nanoTime() + Duration.ofSeconds(120).toNanos();
    while (io.nucleusmem.NucleusMem.get(node.system()).system().owners() > 0) {
      assertThat(System.nanoTime()).as("owners leave when idle").isLessThan(until);
      Thread.onSpinWait();
    }
  }

  @Test
  void g9RevokingIsForThoseWhoMayAndHarmlessForOthers() {
    Principal cleo = Principal.of("cleo");
    assertThat(refusal(spaces.unmount(cleo, ben.mount().id())))
        .isEqualTo(ErrorCode.MOUNT_NOT_FOUND);
    assertThat(textAt(ben, "k")).contains("v");
    await(spaces.unmount(BEN, ben.mount().id()));
    assertThat(refusal(ben.get(KEY))).isEqualTo(ErrorCode.MOUNT_REVOKED);
    MountedSpace again = mountForBen(Access.READ_ONLY);
    assertThat(again.mount().id()).isNotEqualTo(ben.mount().id());
    await(spaces.unmount(ADMIN, again.mount().id()));
    assertThat(refusal(again.get(KEY))).isEqualTo(ErrorCode.MOUNT_REVOKED);
  }

  // ---- who holds what ----

  @Test
  void g9MountsAreListedWithTheirHolderToTheOwnerAndToEachHisOwn() {
    MountedSpace agent =
        await(spaces.mount(ANNA, name, MountRequest.of("agent/scout", Access.APPEND_ONLY)));
    assertThat(await(spaces.mounts(ANNA, name)))
        .containsExactlyInAnyOrder(space.mount(), ben.mount(), agent.mount());
    assertThat(await(spaces.mounts(ADMIN, name))).hasSize(3);
    assertThat(await(spaces.mounts(BEN, name))).containsExactly(ben.mount());
    assertThat(ben.mount().holder()).isEqualTo("ben");
    assertThat(agent.mount().grantedBy()).isEqualTo("anna");
    revoke();
    assertThat(await(spaces.mounts(ANNA, name)))
        .containsExactlyInAnyOrder(space.mount(), agent.mount());
  }

  @Test
  void g9MountIsOpenedOnlyByItsHolder() {
    assertThat(refusal(spaces.open(ANNA, ben.mount().id()))).isEqualTo(ErrorCode.MOUNT_NOT_FOUND);
    assertThat(refusal(spaces.open(ADMIN, ben.mount().id()))).isEqualTo(ErrorCode.MOUNT_NOT_FOUND);
    assertThat(refusal(spaces.open(BEN, "nonsense"))).isEqualTo(ErrorCode.MOUNT_NOT_FOUND);
    String ofNoSpace = "m-" + UUID.randomUUID().toString().replace("-", "") + "-1";
    assertThat(refusal(spaces.open(BEN, ofNoSpace))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.mount(BEN, name, MountRequest.of("cleo", Access.READ_ONLY))))
        .isEqualTo(ErrorCode.FORBIDDEN);
  }

  @Test
  void g9OnlyMountIsOpenedWithoutNamingIt() {
    assertThat(await(spaces.openOnly(BEN, name)).mount()).isEqualTo(ben.mount());
    mountForBen(Access.READ_ONLY);
    assertThat(refusal(spaces.openOnly(BEN, name))).isEqualTo(ErrorCode.MOUNT_REQUIRED);
    assertThat(refusal(spaces.openOnly(Principal.of("cleo"), name)))
        .isEqualTo(ErrorCode.MOUNT_REQUIRED);
  }

  // ---- readers and writers under way ----

  @Test
  void g9NoWriteThroughAMountIsLaterThanItsRevocation() {
    List<CompletionStage<Written>> writes = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      writes.add(ben.put(EntryKey.of("w/" + i), Content.text("v")));
    }
    revoke();
    long then = await(spaces.describe(ANNA, name)).revision();
    for (CompletionStage<Written> write : writes) {
      try {
        assertThat(await(write).revision()).isLessThanOrEqualTo(then);
      } catch (MemSpaceException refused) {
        assertThat(refused.code()).isEqualTo(ErrorCode.MOUNT_REVOKED);
      }
    }
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(then);
  }
}
