package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** G4: conditions hold or nothing changes; a request is applied once, or refused as too old. */
class NoLostUpdateTest extends SpaceFixture {
  static final EntryKey KEY = EntryKey.of("k");

  static Operation.Put put(String key, String text) {
    return new Operation.Put(EntryKey.of(key), Content.text(text));
  }

  long revision() {
    return await(spaces.describe(ANNA, name)).revision();
  }

  /** A UUID of version 7 made then, by the store's clock. */
  static String idMade(Duration ago) {
    long millis = Timestamps.millis(await(store.now())) - ago.toMillis();
    UUID random = UUID.randomUUID();
    long high = millis << 16 | 0x7000L | random.getMostSignificantBits() & 0xFFF;
    return new UUID(high, random.getLeastSignificantBits()).toString();
  }

  // ---- conditions ----

  @Test
  void g4EveryKindOfWriteIsRefusedAtAnotherRevisionAndChangesNothing() {
    await(space.put(KEY, Content.json("{\"a\":1}")));
    OptionalLong other = OptionalLong.of(7);
    for (Operation write :
        List.of(
            new Operation.Put(KEY, Content.text("x"), other, Operation.ANY, false),
            new Operation.Delete(KEY, other, Operation.ANY),
            new Operation.Merge(KEY, "{}", other, Operation.ANY),
            new Operation.Check(KEY, 7))) {
      RevisionMismatchException refused =
          failure(RevisionMismatchException.class, space.write(write));
      assertThat(refused.currentRevision()).isEqualTo(1);
      assertThat(refused.current().orElseThrow().text()).isEqualTo("{\"a\":1}");
    }
    assertThat(revision()).isEqualTo(1);
    assertThat(await(space.history(KEY, 10, Optional.empty())).items()).hasSize(1);
  }

  @Test
  void g4AbsentAndDeletedKeysAreAtRevisionZero() {
    RevisionMismatchException absent =
        failure(RevisionMismatchException.class, space.putIfRevision(KEY, Content.text("x"), 3));
    assertThat(absent.currentRevision()).isZero();
    assertThat(absent.current()).isEmpty();
    await(space.putIfAbsent(KEY, Content.text("one")));
    assertThat(
            failure(RevisionMismatchException.class, space.putIfAbsent(KEY, Content.text("two")))
                .currentRevision())
        .isEqualTo(1);
    await(space.delete(KEY));
    assertThat(await(space.putIfAbsent(KEY, Content.text("again"))).revision()).isEqualTo(3);
  }

  @Test
  void g4BatchIsAllOrNothing() {
    await(space.put(KEY, Content.text("one")));
    RevisionMismatchException refused =
        failure(
            RevisionMismatchException.class,
            space.write(
                List.of(
                    put("a", "x"),
                    new Operation.Append(EntryKey.of("log/"), Content.text("x")),
                    new Operation.Check(KEY, 9),
                    put("b", "x")),
                WriteOptions.DEFAULT));
    assertThat(refused.index()).isEqualTo(2);
    assertThat(
            refusal(
                space.write(
                    List.of(put("a", "x"), new Operation.Delete(EntryKey.of("absent"))),
                    WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
    assertThat(
            refusal(
                space.write(
                    List.of(put("a", "x"), new Operation.Add(KEY, 1)), WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.NOT_A_NUMBER);
    assertThat(await(space.scan(ScanRequest.of(Region.MEMORY, ""))).items())
        .extracting(Entry::text)
        .containsExactly("one");
    assertThat(revision()).isEqualTo(1);
    Written done =
        await(
            space.write(
                List.of(put("a", "x"), new Operation.Check(KEY, 1), put("b", "x")),
                WriteOptions.DEFAULT));
    assertThat(await(space.get(EntryKey.of("a"))).orElseThrow().revision())
        .isEqualTo(await(space.get(EntryKey.of("b"))).orElseThrow().revision())
        .isEqualTo(done.revision());
  }

  @Test
  void g4ConcurrentCompareAndSetsLoseNoUpdate() {
    int writers = 16;
    int each = 20;
    List<CompletionStage<Integer>> all = new ArrayList<>();
    for (int i = 0; i < writers; i++) {
      all.add(increment(each, 0));
    }
    int successes = all.stream().mapToInt(TestNode::await).sum();
    assertThat(successes).isEqualTo(writers * each);
    Entry counter = await(space.get(KEY)).orElseThrow();
    assertThat(counter.text()).isEqualTo("" + writers * each);
    assertThat(counter.revision()).as("refusals take no revision").isEqualTo(writers * each);
  }

  /** Reads, adds one and writes, if nobody else has; until it has succeeded so often. */
  CompletionStage<Integer> increment(int times, int done) {
    if (done == times) {
      return CompletableFuture.completedFuture(done);
    }
    return space
        .get(KEY)
        .thenCompose(
            now ->
                space.putIfRevision(
                    KEY,
                    Content.text("" + (now.map(e -> Long.parseLong(e.text())).orElse(0L) + 1)),
                    now.map(Entry::revision).orElse(0L)))
        .handle((written, refused) -> refused == null ? done + 1 : done)
        .thenComposeAsync(next -> increment(times, next));
  }

  @Test
  void g4CompareAndSetsInOneCommitAreDecidedOneAfterTheOther() {
    await(space.put(KEY, Content.text("0")));
    List<CompletionStage<Written>> rivals = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      rivals.add(space.putIfRevision(KEY, Content.text("" + i), 1));
    }
    long won =
        rivals.stream()
            .filter(rival -> await(rival.handle((done, refused) -> refused == null)))
            .count();
    assertThat(won).isEqualTo(1);
    assertThat(revision()).isEqualTo(2);
  }

  // ---- request ids ----

  @Test
  void g4RequestSentTwiceAtOnceIsAppliedOnce() {
    for (int i = 0; i < 20; i++) {
      WriteOptions id = WriteOptions.id(UUID.randomUUID().toString());
      List<Operation> add = List.of(new Operation.Add(KEY, 1));
      CompletionStage<Written> one = space.write(add, id);
      CompletionStage<Written> two = space.write(add, id);
      assertThat(await(one).revision()).isEqualTo(await(two).revision()).isEqualTo(i + 1);
      assertThat(await(one).value()).isEqualTo(await(two).value());
    }
    assertThat(textAt(space, "k")).contains("20");
  }

  @Test
  void g4RefusedRequestMayBeSentAgainUnderItsId() {
    WriteOptions id = WriteOptions.id(UUID.randomUUID().toString());
    List<Operation> delete = List.of(new Operation.Delete(KEY));
    assertThat(refusal(space.write(delete, id))).isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
    await(space.put(KEY, Content.text("v")));
    assertThat(await(space.write(delete, id)).replayed()).isFalse();
    assertThat(await(space.get(KEY))).isEmpty();
  }

  @Test
  void g4AnyOtherRequestUnderAUsedIdIsRefused() {
    await(space.put(EntryKey.task("t"), Content.text("v")));
    long token =
        await(space.claim(EntryKey.task("t"), "w", Duration.ofMinutes(5), 1)).get(0).token();
    WriteOptions id = WriteOptions.id("an id of sixteen characters or more");
    Operation.Put first =
        new Operation.Put(
            EntryKey.task("t"), Content.text("x"), Operation.ANY, OptionalLong.of(token), false);
    await(space.write(List.of(first), id));
    long revision = revision();
    for (Operation other :
        List.of(
            new Operation.Put(first.key(), Content.text("y"), Operation.ANY, first.claim(), false),
            new Operation.Put(first.key(), Content.json("x"), Operation.ANY, first.claim(), false),
            new Operation.Put(
                first.key(), first.content(), OptionalLong.of(1), first.claim(), false),
            new Operation.Put(first.key(), first.content(), Operation.ANY, first.claim(), true),
            new Operation.Put(first.key(), first.content()),
            new Operation.Delete(first.key(), Operation.ANY, first.claim()),
            new Operation.Append(first.key(), first.content()))) {
      assertThat(refusal(space.write(List.of(other), id)))
          .as("%s", other)
          .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    }
    assertThat(revision()).isEqualTo(revision);
    assertThat(await(space.write(List.of(first), id)).replayed()).isTrue();
  }

  @Test
  void g4RequestIdIsKnownAfterARestart() {
    WriteOptions id = WriteOptions.id(UUID.randomUUID().toString());
    WriteOptions timed = WriteOptions.id(idMade(Duration.ZERO));
    List<Operation> append = List.of(new Operation.Append(EntryKey.of("log/"), Content.text("v")));
    List<Operation> add = List.of(new Operation.Add(KEY, 5));
    Written first = await(space.write(append, id));
    Written second = await(space.write(add, timed));
    Published message = await(space.topic("t").publish(Content.text("m"), Optional.empty(), id));
    restart("");
    Written again = await(space.write(append, id));
    assertThat(again.replayed()).isTrue();
    assertThat(again.revision()).isEqualTo(first.revision());
    assertThat(again.key()).isEqualTo(first.key());
    assertThat(again.timestamp()).isEqualTo(first.timestamp());
    Written added = await(space.write(add, timed));
    assertThat(added.revision()).isEqualTo(second.revision());
    assertThat(added.value().text()).isEqualTo("5");
    assertThat(refusal(space.write(List.of(put("other", "x")), id)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    Published published = await(space.topic("t").publish(Content.text("m"), Optional.empty(), id));
    assertThat(published.replayed()).isTrue();
    assertThat(published.id()).isEqualTo(message.id());
    assertThat(refusal(space.topic("t").publish(Content.text("x"), Optional.empty(), id)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
  }

  @Test
  void g4RequestWhoseIdIsOlderThanTheWindowIsRefusedAndNeverExecutedTwice() {
    WriteOptions id = WriteOptions.id(idMade(Duration.ZERO));
    List<Operation> add = List.of(new Operation.Add(KEY, 1));
    await(space.write(add, id));
    pass(Duration.ofMinutes(5));
    assertThat(await(space.write(add, id)).replayed()).isTrue();
    pass(Duration.ofMinutes(6));
    await(space.put(EntryKey.of("other"), Content.text("v"))); // forgets what is too old
    assertThat(refusal(space.write(add, id))).isEqualTo(ErrorCode.REQUEST_TOO_OLD);
    assertThat(refusal(space.write(add, WriteOptions.id(idMade(Duration.ofMinutes(11))))))
        .isEqualTo(ErrorCode.REQUEST_TOO_OLD);
    restart("");
    assertThat(refusal(space.write(add, id))).isEqualTo(ErrorCode.REQUEST_TOO_OLD);
    assertThat(textAt(space, "k")).contains("1");
  }

  @Test
  void g4MoreRequestsThanAreRememberedAreRefusedAsTooOldNotExecutedTwice() {
    restart("nucleusmem.memspace.requests-max = 8");
    List<Operation> add = List.of(new Operation.Add(KEY, 1));
    WriteOptions id = WriteOptions.id(idMade(Duration.ofSeconds(1)));
    await(space.write(add, id));
    for (int i = 0; i < 20; i++) {
      pass(Duration.ofMillis(10)); // what was forgotten is older than what comes
      await(space.put(EntryKey.of("other"), Content.text("v")));
    }
    assertThat(refusal(space.write(add, id))).isEqualTo(ErrorCode.REQUEST_TOO_OLD);
    assertThat(textAt(space, "k")).contains("1");
    restart("");
  }

  @Test
  void clockOfTheMachineThatGoesBackStopsNoWrites() {
    AHEAD.addAndGet(Duration.ofHours(3).toMillis());
    restart("");
    await(space.put(KEY, Content.text("before")));
    AHEAD.set(0); // the store's time stands still from here on
    restart("");
    await(space.put(KEY, Content.text("after")));
    await(space.topic("t").publish(Content.text("after")));
    assertThat(textAt(space, "k")).contains("after");
  }
}
