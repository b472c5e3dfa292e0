package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** G9: what a mount lets its holder do, and that what it does not cover does not exist. */
class MountIsolationTest extends SpaceFixture {
  static final EntryKey OPEN = EntryKey.of("open/1");
  static final EntryKey HIDDEN = EntryKey.of("hidden/1");

  /** Ben's mount of {@code open/} in {@code memory} and {@code task}, and of topic {@code open}. */
  MountedSpace limited;

  @BeforeEach
  void fill() {
    await(space.put(OPEN, Content.text("seen")));
    await(space.put(HIDDEN, Content.text("secret")));
    await(space.put(EntryKey.task("open/t"), Content.text("task")));
    await(space.put(EntryKey.task("hidden/t"), Content.text("secret")));
    await(space.put(new EntryKey(Region.TOOL, "open/x"), Content.text("secret")));
    await(space.topic("open").publish(Content.text("hello")));
    await(space.topic("hidden").publish(Content.text("secret")));
    limited = mount(Access.READ_WRITE, Set.of(Region.MEMORY, Region.TASK, Region.COMM));
  }

  MountedSpace mount(Access access, Set<Region> regions) {
    return await(
        spaces.mount(
            BEN, name, new MountRequest("ben", access, regions, List.of("open/"), Set.of("open"))));
  }

  // ---- modes ----

  @Test
  void g9ReadOnlyMountReadsAndChangesNothing() {
    MountedSpace ben = mountForBen(Access.READ_ONLY);
    long before = await(spaces.describe(ANNA, name)).revision();
    assertThat(textAt(ben, "open/1")).contains("seen");
    assertThat(await(ben.topic("open").fetch(MessageRange.all())).items()).hasSize(1);
    assertThat(
            List.of(
                refusal(ben.put(OPEN, Content.text("x"))),
                refusal(ben.putIfAbsent(EntryKey.of("new"), Content.text("x"))),
                refusal(ben.delete(OPEN)),
                refusal(ben.append(EntryKey.of("log/"), Content.text("x"))),
                refusal(ben.add(EntryKey.of("n"), 1)),
                refusal(ben.merge(EntryKey.of("j"), "{}")),
                refusal(ben.claim(EntryKey.task("open/"), "w", Duration.ofMinutes(1), 1)),
                refusal(ben.topic("open").publish(Content.text("x"))),
                refusal(ben.topic("new").publish(Content.text("x"))),
                refusal(ben.createTopic("new"))))
        .containsOnly(ErrorCode.FORBIDDEN);
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(before);
    assertThat(await(space.topics(10, Optional.empty())).items())
        .extracting(TopicInfo::name)
        .containsExactly("hidden", "open");
  }

  @Test
  void g9ReadOnlyMountDoesNotMakeATopicByListeningToIt() {
    MountedTopic absent = mountForBen(Access.READ_ONLY).topic("absent");
    assertThat(refusal(absent.subscribe("s", SubscriptionSpec.earliest())))
        .isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
    assertThat(
            refusal(
                absent.watch(OptionalLong.empty(), Optional.empty(), false, new WatchRecorder())))
        .isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
  }

  @Test
  void g9AppendOnlyMountReadsAppendsAndPublishesAndChangesNothingThatIsThere() {
    MountedSpace ben = mountForBen(Access.APPEND_ONLY);
    assertThat(textAt(ben, "open/1")).contains("seen");
    EntryKey appended = await(ben.append(EntryKey.of("log/"), Content.text("line"))).key();
    assertThat(await(space.get(appended)).orElseThrow().text()).isEqualTo("line");
    assertThat(await(ben.topic("new").publish(Content.text("hello"))).revision()).isEqualTo(1);
    assertThat(
            List.of(
                refusal(ben.put(OPEN, Content.text("x"))),
                refusal(ben.putIfAbsent(EntryKey.of("new"), Content.text("x"))),
                refusal(ben.put(appended, Content.text("x"))),
                refusal(ben.delete(appended)),
                refusal(ben.add(EntryKey.of("n"), 1)),
                refusal(ben.merge(EntryKey.of("j"), "{}")),
                refusal(ben.claim(EntryKey.task("open/"), "w", Duration.ofMinutes(1), 1))))
        .containsOnly(ErrorCode.FORBIDDEN);
    assertThat(textAt(space, "open/1")).contains("seen");
  }

  // ---- limits: reads ----

  @Test
  void g9EntryThatIsNotCoveredIsAbsentInEveryRead() {
    long revision = await(space.get(HIDDEN)).orElseThrow().revision();
    assertThat(textAt(limited, "open/1")).contains("seen");
    assertThat(await(limited.get(HIDDEN))).isEmpty();
    assertThat(await(limited.get(HIDDEN, ReadAt.revision(revision)))).isEmpty();
    assertThat(await(limited.get(HIDDEN, ReadAt.instant(Instant.now())))).isEmpty();
    assertThat(await(limited.pull(HIDDEN, revision))).isEmpty();
    assertThat(await(limited.history(HIDDEN, 10, Optional.empty())).items()).isEmpty();
    assertThat(await(limited.get(new EntryKey(Region.TOOL, "open/x")))).isEmpty();
  }

  @Test
  void g9ScanShowsAndCountsOnlyWhatIsCovered() {
    for (String prefix : List.of("", "o", "open/")) {
      Paged<Entry> page = await(limited.scan(ScanRequest.of(Region.MEMORY, prefix)));
      assertThat(page.items()).extracting(Entry::key).containsExactly(OPEN);
      assertThat(page.next()).isEmpty();
    }
    assertThat(await(limited.scan(ScanRequest.of(Region.MEMORY, "hidden/"))).items()).isEmpty();
    assertThat(await(limited.scan(ScanRequest.of(Region.TOOL, ""))).items()).isEmpty();
    assertThat(
            await(limited.scan(ScanRequest.of(Region.MEMORY, "").at(ReadAt.revision(2)))).items())
        .extracting(Entry::key)
        .containsExactly(OPEN);
  }

  @Test
  void g9CursorOfAScanThatSawMoreShowsALimitedMountNoMore() {
    for (int i = 0; i < 5; i++) {
      await(space.put(EntryKey.of("hidden/" + i), Content.text("secret")));
    }
    String next =
        await(space.scan(ScanRequest.of(Region.MEMORY, "").limit(2))).next().orElseThrow();
    assertThat(await(limited.scan(ScanRequest.of(Region.MEMORY, "").after(next))).items())
        .extracting(Entry::key)
        .containsExactly(OPEN);
  }

  @Test
  void g9SeveralPrefixesOfAMountShowEachEntryOnceAndInOrder() {
    await(space.put(EntryKey.of("open/2"), Content.text("v")));
    await(space.put(EntryKey.of("also/1"), Content.text("v")));
    MountedSpace ben =
        await(
            spaces.mount(
                BEN,
                name,
                new MountRequest(
                    "ben",
                    Access.READ_ONLY,
                    Set.of(),
                    List.of("open/", "open/1", "also/", "open/"),
                    Set.of())));
    assertThat(await(ben.scan(ScanRequest.of(Region.MEMORY, ""))).items())
        .extracting(entry -> entry.key().name())
        .containsExactly("also/1", "open/1", "open/2");
  }

  @Test
  void g9WatchSignalsOnlyWhatIsCoveredAlsoFromThePast() {
    WatchRecorder past = new WatchRecorder();
    WatchRecorder live = new WatchRecorder();
    WatchRequest all = new WatchRequest(Optional.empty(), "", OptionalLong.empty(), true);
    await(limited.watch(all.from(1), past));
    await(limited.watch(all, live));
    await(space.put(HIDDEN, Content.text("secret")));
    await(space.put(new EntryKey(Region.TOOL, "open/x"), Content.text("secret")));
    long last = await(space.put(OPEN, Content.text("again"))).revision();
    assertThat(past.signalsUpTo(last))
        .extracting(Signal::key)
        .containsExactly(OPEN, EntryKey.task("open/t"), OPEN);
    assertThat(live.signalsUpTo(last)).extracting(Signal::key).containsExactly(OPEN);
  }

  @Test
  void g9ClaimTakesOnlyWhatIsCovered() {
    assertThat(await(limited.claim(EntryKey.task(""), "w", Duration.ofMinutes(1), 10)))
        .extracting(claim -> claim.entry().key())
        .containsExactly(EntryKey.task("open/t"));
  }

  @Test
  void g9TopicThatIsNotCoveredDoesNotExist() {
    assertThat(await(limited.topics(10, Optional.empty())).items())
        .extracting(TopicInfo::name)
        .containsExactly("open");
    ErrorCode hidden = failure(MemSpaceException.class, () -> limited.topic("hidden")).code();
    ErrorCode absent = failure(MemSpaceException.class, () -> limited.topic("absent")).code();
    assertThat(hidden).isEqualTo(absent).isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
    MountedSpace noTopics = mount(Access.READ_WRITE, Set.of(Region.MEMORY));
    assertThat(failure(MemSpaceException.class, () -> noTopics.topic("open")).code())
        .isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
    assertThat(await(noTopics.topics(10, Optional.empty())).items()).isEmpty();
  }

  // ---- limits: writes and errors ----

  @Test
  void g9WriteOutsideOfTheLimitsIsRefusedAlikeWhetherSomethingIsThereOrNot() {
    EntryKey absent = EntryKey.of("hidden/absent");
    for (EntryKey key : List.of(HIDDEN, absent)) {
      assertThat(
              List.of(
                  refusal(limited.put(key, Content.text("x"))),
                  refusal(limited.putIfAbsent(key, Content.text("x"))),
                  refusal(limited.putIfRevision(key, Content.text("x"), 77)),
                  refusal(limited.delete(key)),
                  refusal(limited.add(key, 1)),
                  refusal(limited.merge(key, "{}")),
                  refusal(limited.write(new Operation.Check(key, 77))),
                  refusal(limited.renew(key, 77, Duration.ofMinutes(1))),
                  refusal(limited.release(key, 77))))
          .containsOnly(ErrorCode.FORBIDDEN);
    }
    MemSpaceException refused =
        failure(MemSpaceException.class, limited.putIfRevision(HIDDEN, Content.text("x"), 77));
    assertThat(refused.getMessage() + refused.details()).doesNotContain("secret");
    assertThat(refusal(limited.append(EntryKey.of("hidden/"), Content.text("x"))))
        .isEqualTo(ErrorCode.FORBIDDEN);
  }

  @Test
  void g9BatchThatIsPartlyCoveredChangesNothing() {
    assertThat(
            refusal(
                limited.write(
                    List.of(
                        new Operation.Put(OPEN, Content.text("x")),
                        new Operation.Put(HIDDEN, Content.text("x"))),
                    WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.FORBIDDEN);
    assertThat(textAt(space, "open/1")).contains("seen");
  }
}
