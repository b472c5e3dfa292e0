package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.Direction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Topics: an order of their own, addressed messages, durable subscriptions, dead letters. */
class TopicPromiseTest extends SpaceFixture {
  static final Duration LONG = Duration.ofSeconds(10);
  MountedTopic topic;

  @BeforeEach
  void openTopic() {
    topic = space.topic("news");
  }

  List<Published> publish(int count) {
    List<CompletionStage<Published>> all = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      all.add(topic.publish(Content.text("m" + i)));
    }
    return all.stream().map(TestNode::await).toList();
  }

  static SubscriptionSpec spec(SubscriptionSpec.From from, Duration redeliver, int deliveries) {
    return new SubscriptionSpec(from, Optional.empty(), redeliver, deliveries);
  }

  static SubscriptionSpec earliest(int deliveries) {
    return spec(new SubscriptionSpec.From.Earliest(), Duration.ofHours(1), deliveries);
  }

  List<Delivery> pull(int max) {
    return await(topic.pull("s", max, LONG));
  }

  static List<Long> revisions(List<Delivery> deliveries) {
    return deliveries.stream().map(each -> each.message().revision()).toList();
  }

  MessageRange range(MessageRange.Bound from, MessageRange.Bound until) {
    return new MessageRange(
        Optional.ofNullable(from),
        Optional.ofNullable(until),
        Direction.ASCENDING,
        true,
        100,
        Optional.empty());
  }

  List<Long> fetch(MessageRange range) {
    return await(topic.fetch(range)).items().stream().map(Message::revision).toList();
  }

  void restartAndOpen() {
    restart("");
    topic = space.topic("news");
  }

  // ---- order and reading ----

  @Test
  void g2MessagesAreNumberedWithoutGapsWhateverElseHappensToTheTopic() {
    await(topic.subscribe("s", earliest(5)));
    publish(20);
    await(topic.ack("s", revisions(pull(5))));
    await(topic.watch(OptionalLong.empty(), Optional.empty(), false, new WatchRecorder()));
    await(topic.fetch(range(new MessageRange.Bound.Time(java.time.Instant.now()), null)));
    publish(20);
    restartAndOpen();
    publish(1);
    assertThat(fetch(MessageRange.all())).isEqualTo(LongStream.rangeClosed(1, 41).boxed().toList());
  }

  @Test
  void messageIsWhatWasPublished() {
    Content content = Content.json("{}").withMetadata(Map.of("a", "b"));
    Published published = await(topic.publishTo("agent/x", content));
    Message message = await(topic.message(published.revision())).orElseThrow();
    assertThat(message.content()).isEqualTo(content);
    assertThat(message.to()).contains("agent/x");
    assertThat(message.sender()).isEqualTo("anna");
    assertThat(message.id()).isEqualTo(published.id());
    assertThat(await(topic.message(published.revision() + 1))).isEmpty();
    assertThat(refusal(space.topic("absent").fetch(MessageRange.all())))
        .isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
  }

  @Test
  void messagesAreFetchedByRevisionInBothDirectionsAndByPages() {
    publish(10);
    assertThat(fetch(range(new MessageRange.Bound.Revision(3), new MessageRange.Bound.Revision(5))))
        .containsExactly(3L, 4L, 5L);
    assertThat(fetch(range(new MessageRange.Bound.Revision(11), null))).isEmpty();
    for (Direction direction : Direction.values()) {
      List<Long> all = new ArrayList<>();
      Optional<String> cursor = Optional.empty();
      do {
        Paged<Message> page =
            await(
                topic.fetch(
                    new MessageRange(
                        Optional.of(new MessageRange.Bound.Revision(2)),
                        Optional.of(new MessageRange.Bound.Revision(9)),
                        direction,
                        false,
                        3,
                        cursor)));
        page.items().forEach(message -> all.add(message.revision()));
        cursor = page.next();
        publish(1); // comes behind what the pages show
      } while (cursor.isPresent());
      List<Long> wanted = new ArrayList<>(LongStream.rangeClosed(2, 9).boxed().toList());
      if (direction == Direction.DESCENDING) {
        java.util.Collections.reverse(wanted);
      }
      assertThat(all).isEqualTo(wanted);
    }
  }

  @Test
  void messagesAreFetchedByTimeBothEndsIncluded() {
    List<Published> published = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      published.addAll(publish(1));
      pass(Duration.ofSeconds(1));
    }
    MessageRange.Bound second =
        new MessageRange.Bound.Time(await(topic.message(2)).orElseThrow().at());
    MessageRange.Bound fourth =
        new MessageRange.Bound.Time(await(topic.message(4)).orElseThrow().at());
    MessageRange.Bound never =
        new MessageRange.Bound.Time(java.time.Instant.now().plus(Duration.ofDays(365)));
    MessageRange.Bound before =
        new MessageRange.Bound.Time(await(topic.message(1)).orElseThrow().at().minusMillis(1));
    assertThat(fetch(range(second, fourth))).containsExactly(2L, 3L, 4L);
    assertThat(fetch(range(null, second))).containsExactly(1L, 2L);
    assertThat(fetch(range(fourth, never))).containsExactly(4L, 5L);
    assertThat(fetch(range(before, second))).containsExactly(1L, 2L);
    assertThat(fetch(range(null, before))).isEmpty();
    assertThat(fetch(range(never, null))).isEmpty();
    assertThat(fetch(range(fourth, second))).isEmpty();
  }

  // ---- addressed messages ----

  @Test
  void directedMessageReachesItsAddresseeAndThoseWhoAskForAll() {
    await(
        topic.subscribe(
            "s",
            new SubscriptionSpec(
                new SubscriptionSpec.From.Earliest(), Optional.of("x"), Duration.ofHours(1), 5)));
    WatchRecorder x = new WatchRecorder();
    WatchRecorder all = new WatchRecorder();
    await(topic.watch(OptionalLong.of(1), Optional.of("x"), true, x));
    await(topic.watch(OptionalLong.of(1), Optional.empty(), true, all));
    await(topic.publishTo("y", Content.text("for y")));
    await(topic.publishTo("x", Content.text("for x")));
    await(topic.publish(Content.text("for everybody")));
    assertThat(x.signalsUpTo(3)).extracting(Signal::revision).containsExactly(2L, 3L);
    assertThat(all.signalsUpTo(3)).extracting(Signal::revision).containsExactly(1L, 2L, 3L);
    assertThat(x.signals(0).get(0).to()).contains("x");
    assertThat(x.signals(0).get(0).content().orElseThrow().text()).isEqualTo("for x");
    List<Delivery> got = pull(10);
    assertThat(revisions(got)).containsExactly(2L, 3L);
    await(topic.ack("s", revisions(got)));
    assertThat(await(topic.subscription("s")).cursor()).as("what is not mine is done").isEqualTo(3);
  }

  // ---- durable subscriptions ----

  @Test
  void subscriptionBeginsWhereItWasAskedTo() {
    publish(5);
    await(topic.subscribe("early", earliest(5)));
    await(topic.subscribe("late", SubscriptionSpec.latest()));
    await(
        topic.subscribe(
            "third", spec(new SubscriptionSpec.From.Revision(3), Duration.ofHours(1), 5)));
    publish(1);
    assertThat(revisions(await(topic.pull("early", 10, LONG)))).hasSize(6);
    assertThat(revisions(await(topic.pull("late", 10, LONG)))).containsExactly(6L);
    assertThat(revisions(await(topic.pull("third", 10, LONG)))).containsExactly(3L, 4L, 5L, 6L);
    assertThat(await(topic.subscribe("late", earliest(5))).created()).isFalse();
    assertThat(await(topic.subscriptions()))
        .extracting(SubscriptionInfo::name)
        .containsExactly("early", "late", "third");
    await(topic.unsubscribe("third"));
    assertThat(refusal(topic.pull("third", 1, Duration.ZERO)))
        .isEqualTo(ErrorCode.SUBSCRIPTION_NOT_FOUND);
    assertThat(refusal(topic.unsubscribe("third"))).isEqualTo(ErrorCode.SUBSCRIPTION_NOT_FOUND);
  }

  @Test
  void pullWaitsForAMessage() {
    await(topic.subscribe("s", earliest(5)));
    CompletionStage<List<Delivery>> waiting = topic.pull("s", 10, Duration.ofSeconds(20));
    assertThat(await(topic.pull("s", 10, Duration.ZERO))).isEmpty();
    publish(1);
    assertThat(revisions(await(waiting))).containsExactly(1L);
  }

  @Test
  void acknowledgedOutOfOrderIsRememberedOverARestart() {
    await(topic.subscribe("s", earliest(5)));
    publish(6);
    pull(6);
    await(topic.ack("s", List.of(1L, 2L, 5L)));
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(2);
    restartAndOpen();
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(2);
    assertThat(revisions(pull(10))).containsExactly(3L, 4L, 6L);
    await(topic.ack("s", List.of(3L, 4L, 6L)));
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(6);
    assertThat(await(topic.subscription("s")).pending()).isZero();
  }

  @Test
  void deliveredBeforeARestartAndAcknowledgedBehindItComesNoMore() {
    await(topic.subscribe("s", earliest(5)));
    publish(3);
    List<Delivery> got = pull(2);
    restartAndOpen();
    await(topic.ack("s", revisions(got)));
    assertThat(revisions(pull(10))).containsExactly(3L);
    await(topic.ack("s", List.of(3L)));
    restartAndOpen();
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(3);
    assertThat(await(topic.pull("s", 10, Duration.ZERO))).isEmpty();
  }

  @Test
  void acknowledgementOfWhatIsNotThereIsIgnored() {
    await(topic.subscribe("s", earliest(5)));
    await(topic.ack("s", List.of(0L, -3L, 2L, 99L)));
    publish(2);
    assertThat(revisions(pull(10))).containsExactly(1L, 2L);
    await(topic.ack("s", List.of(1L, 1L)));
    await(topic.ack("s", List.of(1L)));
    await(topic.nack("s", List.of(1L)));
    assertThat(await(topic.pull("s", 10, Duration.ZERO))).isEmpty();
  }

  @Test
  void unacknowledgedMessageComesAgainWhenItsTimeIsOver() {
    await(
        topic.subscribe(
            "s", spec(new SubscriptionSpec.From.Earliest(), Duration.ofMillis(1), 1_000)));
    publish(1);
    assertThat(pull(1).get(0).delivery()).isEqualTo(1);
    assertThat(pull(1).get(0).delivery()).isEqualTo(2);
    int third = pull(1).get(0).delivery();
    assertThat(third).isEqualTo(3);
    restartAndOpen();
    assertThat(pull(1).get(0).delivery()).as("the count is durable").isGreaterThan(third - 1);
  }

  @Test
  void competingConsumersShareASubscription() {
    int messages = 300;
    await(topic.subscribe("s", earliest(5)));
    List<Long> got = new CopyOnWriteArrayList<>();
    List<CompletionStage<Void>> consumers = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      consumers.add(consume(got, messages));
    }
    publish(messages);
    consumers.forEach(TestNode::await);
    assertThat(got).doesNotHaveDuplicates().hasSize(messages);
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(messages);
  }

  CompletionStage<Void> consume(List<Long> got, int messages) {
    if (got.size() >= messages) {
      return CompletableFuture.completedFuture(null);
    }
    return topic
        .pull("s", 7, Duration.ofMillis(100))
        .thenCompose(
            deliveries -> {
              got.addAll(revisions(deliveries));
              return topic.ack("s", revisions(deliveries));
            })
        .thenComposeAsync(done -> consume(got, messages));
  }

  @Test
  void g11AtMostAThousandMessagesAreUnacknowledged() {
    await(topic.subscribe("s", earliest(5)));
    publish(1_010);
    List<Long> got = new ArrayList<>();
    while (got.size() < 1_000) {
      got.addAll(revisions(pull(1_000)));
    }
    assertThat(got).isEqualTo(LongStream.rangeClosed(1, 1_000).boxed().toList());
    assertThat(await(topic.pull("s", 1, Duration.ZERO))).isEmpty();
    assertThat(await(topic.subscription("s")).pending()).isEqualTo(1_000);
    await(topic.ack("s", List.of(500L)));
    assertThat(revisions(pull(10))).containsExactly(1_001L);
  }

  // ---- dead letters ----

  Message deadLetter() {
    WatchRecorder dead = new WatchRecorder();
    await(space.topic("news.dead").watch(OptionalLong.of(1), Optional.empty(), false, dead));
    long revision = dead.signals(1).get(0).revision();
    return await(space.topic("news.dead").message(revision)).orElseThrow();
  }

  void awaitDead(long count) {
    long until = System.nanoTime() + Duration.ofSeconds(120).toNanos();
    while (await(topic.subscription("s")).dead() < count) {
      assertThat(System.nanoTime()).as("message is dead").isLessThan(until);
    }
  }

  @Test
  void messageThatIsGivenBackTooOftenBecomesADeadLetterWithItsReason() {
    await(topic.subscribe("s", earliest(3)));
    publish(2);
    for (int i = 1; i <= 3; i++) {
      assertThat(pull(1)).extracting(Delivery::delivery).containsExactly(i);
      await(topic.nack("s", List.of(1L)));
    }
    Message dead = deadLetter();
    assertThat(dead.content().text()).isEqualTo("m1");
    assertThat(dead.sender()).isEqualTo("anna");
    assertThat(dead.content().metadata())
        .containsEntry("dead-topic", "news")
        .containsEntry("dead-subscription", "s")
        .containsEntry("dead-revision", "1")
        .containsEntry("dead-reason", "not acknowledged in 3 deliveries");
    assertThat(revisions(pull(10))).as("the next one is not held up").containsExactly(2L);
    awaitDead(1);
    restartAndOpen();
    assertThat(revisions(pull(10))).containsExactly(2L);
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(1);
    assertThat(await(topic.subscription("s")).dead()).isEqualTo(1);
    assertThat(await(space.topic("news.dead").fetch(MessageRange.all())).items()).hasSize(1);
  }

  @Test
  void messageThatNobodyAcknowledgesInTimeBecomesADeadLetter() {
    await(
        topic.subscribe("s", spec(new SubscriptionSpec.From.Earliest(), Duration.ofMillis(1), 1)));
    publish(1);
    pull(1);
    assertThat(deadLetter().content().metadata()).containsEntry("dead-revision", "1");
    awaitDead(1);
    assertThat(await(topic.subscription("s")).cursor()).isEqualTo(1);
  }

  // ---- topics of a space ----

  @Test
  void topicMadeByManyAtOnceIsOne() {
    List<CompletionStage<Published>> first = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      first.add(space.topic("rush").publish(Content.text("m")));
    }
    assertThat(first.stream().map(stage -> await(stage).revision()).sorted().toList())
        .isEqualTo(LongStream.rangeClosed(1, 20).boxed().toList());
    assertThat(await(space.topics(10, Optional.empty())).items())
        .extracting(TopicInfo::name)
        .containsExactly("rush");
  }

  @Test
  void topicThatCouldNotBeMadeLeavesNothingBehind() {
    await(spaces.archive(ANNA, name));
    long rows = ledgerRows();
    assertThat(refusal(space.topic("late").publish(Content.text("m"))))
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    long until = System.nanoTime() + Duration.ofSeconds(120).toNanos();
    while (ledgerRows() > rows) {
      assertThat(System.nanoTime()).as("the topic's ledger is removed").isLessThan(until);
    }
  }

  long ledgerRows() {
    return await(
            store.scan(
                io.nucleusmem.store.KeyRange.prefix(io.nucleusmem.store.Bytes.utf8("l")),
                10_000,
                Direction.ASCENDING))
        .rows()
        .size();
  }

  @Test
  void topicsAreListedByPages() {
    for (String each : List.of("c", "a", "b")) {
      await(space.createTopic(each));
    }
    await(space.createTopic("b"));
    Paged<TopicInfo> first = await(space.topics(2, Optional.empty()));
    assertThat(first.items()).extracting(TopicInfo::name).containsExactly("a", "b");
    assertThat(await(space.topics(2, first.next())).items())
        .extracting(TopicInfo::name)
        .containsExactly("c");
  }
}
