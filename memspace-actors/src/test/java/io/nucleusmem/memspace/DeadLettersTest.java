package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A dead letter is no way around an erasure. */
class DeadLettersTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final SpaceKeeping.Erasable PERSON = new SpaceKeeping.Erasable.Subject("p7");

  private volatile Predicate<WriteBatch> held = batch -> false;
  private MemoryStore store;
  private TestNode node;
  private MountedSpace space;
  private MountedTopic topic;

  /** A space whose topic has a message that was delivered for the last time. */
  private void start(StoreScope scope) {
    store =
        new MemoryStore(
            scope,
            ForkJoinPool.commonPool(),
            System::currentTimeMillis,
            batch -> held.test(batch) ? Fault.SLOW : Fault.NONE,
            Resends.CHECKED);
    node = TestNode.start(store);
    CreatedSpace created =
        await(node.spaces().create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT));
    space = await(node.spaces().open(ANNA, created.mount().id()));
    topic = space.topic("chat");
    await(
        topic.publish(
            Content.text("secret").withMetadata(Map.of("subject", "p7")),
            Optional.empty(),
            WriteOptions.DEFAULT));
    await(
        topic.subscribe(
            "readers",
            new SubscriptionSpec(
                new SubscriptionSpec.From.Earliest(), Optional.empty(), Duration.ofHours(1), 1)));
    assertThat(await(topic.pull("readers", 10, Duration.ofSeconds(30)))).hasSize(1);
  }

  @AfterEach
  void stop() {
    held = batch -> false;
    store.held().forEach(MemoryStore.Held::release);
    node.close();
    store.close();
  }

  private static boolean holds(WriteBatch.Op op, String text) {
    return op instanceof WriteBatch.Put put && holds(put.value().toArray(), text)
        || op instanceof WriteBatch.Insert insert && holds(insert.value().toArray(), text);
  }

  private static boolean holds(byte[] bytes, String text) {
    return new String(bytes, StandardCharsets.ISO_8859_1).contains(text);
  }

  private OperationInfo erase() {
    return await(NucleusMem.get(node.system()).keeping().erase(ANNA, "s", PERSON, "asked to"));
  }

  private void ended(OperationInfo operation) {
    Operations operations = NucleusMem.get(node.system()).operations();
    TestNode.eventually(
        () -> await(operations.get(ANNA, operation.id())).state() != OperationInfo.State.RUNNING);
    assertThat(await(operations.get(ANNA, operation.id())).error()).isEmpty();
  }

  private void buried() {
    TestNode.eventually(() -> await(topic.subscription("readers")).dead() == 1);
  }

  private void assertNothingIsLeft() {
    assertThat(store.rows().values()).noneMatch(row -> holds(row.toArray(), "secret"));
    List<Message> dead = await(space.topic("chat.dead").fetch(MessageRange.all())).items();
    assertThat(dead).hasSize(1).allMatch(message -> message.content().isErased());
  }

  @Test
  void aDeadLetterSaysWhatItIsACopyOf() {
    start(StoreScope.ALL);
    await(topic.nack("readers", List.of(1L)));
    buried();
    Message dead = await(space.topic("chat.dead").message(1)).orElseThrow();
    assertThat(dead.content().text()).isEqualTo("secret");
    assertThat(dead.content().metadata())
        .containsEntry("dead-topic", "chat")
        .containsEntry("dead-subscription", "readers")
        .containsEntry("dead-revision", "1")
        .containsEntry("subject", "p7");
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void whatIsBeingErasedIsNotCopied(StoreScope scope) {
    start(scope);
    // the erasure has its rule, and cannot write over anything
    held =
        batch ->
            batch.ops().stream().noneMatch(WriteBatch.Insert.class::isInstance)
                && batch.ops().stream().anyMatch(op -> holds(op, Content.ERASED));
    OperationInfo operation = erase();
    TestNode.eventually(() -> !store.held().isEmpty());
    await(topic.nack("readers", List.of(1L)));
    buried();
    held = batch -> false;
    store.held().forEach(MemoryStore.Held::release);
    ended(operation);
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void aCopyThatLandsBehindTheErasureIsWrittenOver(StoreScope scope) {
    start(scope);
    held = batch -> batch.ops().stream().anyMatch(op -> holds(op, "chat.dead"));
    await(topic.nack("readers", List.of(1L)));
    TestNode.eventually(() -> !store.held().isEmpty());
    ended(erase());
    held = batch -> false;
    store.held().forEach(MemoryStore.Held::release);
    buried();
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void anErasureCoversDeadLettersAsItDoesTheirOriginals(StoreScope scope) {
    start(scope);
    await(topic.nack("readers", List.of(1L)));
    buried();
    ended(erase());
    assertNothingIsLeft();
  }
}
