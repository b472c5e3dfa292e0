package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.ledger.LedgerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Names, labels and ends of spaces, also if a call is cut short in the middle. */
class SpaceCatalogueTest extends SpaceFixture {

  List<String> listed(String label) {
    List<String> names = new ArrayList<>();
    Optional<String> cursor = Optional.empty();
    do {
      Paged<SpaceInfo> page = await(spaces.list(ANNA, Optional.of(label), 2, cursor));
      page.items().forEach(info -> names.add(info.name()));
      cursor = page.next();
    } while (cursor.isPresent());
    return names;
  }

  UpdateSpace labels(Map<String, String> labels) {
    return new UpdateSpace(Optional.of(labels), Optional.empty(), Optional.empty());
  }

  LedgerId ledger() {
    return SpaceRows.spaceOf(space.mount().id());
  }

  /** What a deletion does first, as if the process had died behind it. */
  void beginDeletion() {
    Promise<Boolean> promise = new Promise<>();
    ((MemSpaceClient) spaces)
        .node()
        .spaces()
        .tell(ledger(), new MemSpace.SetState(ANNA, SpaceRows.Manifest.DELETED, promise));
    await(promise.future());
  }

  @Test
  void spacesAreListedByTheLabelsThatTheyHaveNow() {
    String unique = UUID.randomUUID().toString();
    await(spaces.update(ANNA, name, labels(Map.of("run", unique))));
    assertThat(listed("run:" + unique)).containsExactly(name);
    await(spaces.update(ANNA, name, labels(Map.of("run", "other"))));
    assertThat(listed("run:" + unique)).isEmpty();
    assertThat(listed("run:other")).contains(name);
  }

  @Test
  void updateThatDiedBehindItsCommitIsListedAsItIsDescribed() {
    String unique = UUID.randomUUID().toString();
    Promise<Boolean> promise = new Promise<>();
    ((MemSpaceClient) spaces)
        .node()
        .spaces()
        .tell(ledger(), new MemSpace.Update(ANNA, labels(Map.of("run", unique)), promise));
    await(promise.future());
    assertThat(await(spaces.describe(ANNA, name)).labels()).containsEntry("run", unique);
    assertThat(listed("run:" + unique)).containsExactly(name);
  }

  @Test
  void updateThatRacesWithADeletionLeavesTheNameFree() {
    for (int i = 0; i < 50; i++) {
      String racing = "r-" + UUID.randomUUID();
      create(CreateSpace.shared(racing));
      CompletionStage<SpaceInfo> update = spaces.update(ANNA, racing, labels(Map.of("n", "" + i)));
      CompletionStage<Void> delete = spaces.delete(ANNA, racing);
      await(delete);
      await(update.handle((done, refused) -> true));
      assertThat(refusal(spaces.describe(ANNA, racing))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
      create(CreateSpace.shared(racing));
    }
  }

  @Test
  void deletionThatWasCutShortLeavesTheNameFree() {
    beginDeletion();
    assertThat(refusal(spaces.describe(ANNA, name))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    MountedSpace again = create(CreateSpace.shared(name));
    await(again.put(EntryKey.of("k"), Content.text("v")));
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(1);
    assertThat(refusal(space.get(EntryKey.of("k")))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
  }

  @Test
  void deletionThatWasCutShortIsFinishedByDeletingAgain() {
    beginDeletion();
    await(spaces.delete(ANNA, name));
    assertThat(refusal(spaces.delete(ANNA, name))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    create(CreateSpace.shared(name));
  }

  @Test
  void deletionThatComesLateDoesNotTakeTheNameFromTheSpaceThatHasItNow() {
    await(spaces.delete(ANNA, name));
    MountedSpace next = create(CreateSpace.shared(name));
    await(new Catalogue(store).remove(name, ledger(), List.of(ledger()), Map.of()));
    assertThat(await(spaces.describe(ANNA, name)).owner()).isEqualTo("anna");
    await(next.put(EntryKey.of("k"), Content.text("v")));
  }

  @Test
  void createdUnderOneRequestIdIsOneSpaceAndAnotherSpaceUnderItIsRefused() {
    String made = "c-" + UUID.randomUUID();
    WriteOptions id = WriteOptions.id(UUID.randomUUID().toString());
    CreatedSpace first = await(spaces.create(ANNA, CreateSpace.shared(made), id));
    CreatedSpace again = await(spaces.create(ANNA, CreateSpace.shared(made), id));
    assertThat(again.mount()).isEqualTo(first.mount());
    assertThat(refusal(spaces.create(ANNA, CreateSpace.privateOf(made), id)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    assertThat(refusal(spaces.create(ANNA, CreateSpace.shared(made), WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.SPACE_EXISTS);
  }

  @Test
  void everythingOfADeletedSpaceIsRefusedAlsoAfterARestart() {
    await(space.put(EntryKey.of("k"), Content.text("v")));
    MountedTopic topic = space.topic("news");
    await(topic.publish(Content.text("hello")));
    await(topic.subscribe("s", SubscriptionSpec.earliest()));
    WatchRecorder entries = new WatchRecorder();
    WatchRecorder messages = new WatchRecorder();
    await(space.watch(WatchRequest.of(Region.MEMORY, ""), entries));
    await(topic.watch(OptionalLong.empty(), Optional.empty(), false, messages));
    String mountId = space.mount().id();
    await(spaces.delete(ANNA, name));
    List<CompletionStage<?>> calls =
        List.of(
            space.get(EntryKey.of("k")),
            space.put(EntryKey.of("k"), Content.text("x")),
            space.scan(ScanRequest.of(Region.MEMORY, "")),
            topic.publish(Content.text("x")),
            space.topic("new").publish(Content.text("x")),
            topic.fetch(MessageRange.all()),
            topic.pull("s", 1, java.time.Duration.ZERO),
            topic.ack("s", List.of(1L)),
            topic.subscriptions(),
            spaces.open(ANNA, mountId),
            spaces.archive(ANNA, name),
            spaces.mount(ANNA, name, MountRequest.of("anna", Access.READ_ONLY)));
    for (int i = 0; i < calls.size(); i++) {
      assertThat(refusal(calls.get(i))).as("call %d", i).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    }
    for (WatchRecorder each : List.of(entries, messages)) {
      assertThat(((WatchEvent.Ended) each.end()).reason().code())
          .isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    }
    name = "s-" + UUID.randomUUID();
    space = create(CreateSpace.shared(name));
    restart("");
    assertThat(refusal(spaces.open(ANNA, mountId))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
  }

  @Test
  void topicsOfAnArchivedSpaceAreReadAndNotWritten() {
    MountedTopic topic = space.topic("news");
    await(topic.publish(Content.text("hello")));
    await(topic.subscribe("s", SubscriptionSpec.earliest()));
    await(spaces.archive(ANNA, name));
    await(spaces.archive(ANNA, name));
    assertThat(refusal(topic.publish(Content.text("x")))).isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(refusal(space.topic("new").publish(Content.text("x"))))
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(refusal(space.createTopic("new"))).isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(refusal(space.claim(EntryKey.task(""), "w", java.time.Duration.ofMinutes(1), 1)))
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(await(topic.fetch(MessageRange.all())).items()).hasSize(1);
    assertThat(await(topic.pull("s", 10, java.time.Duration.ZERO))).hasSize(1);
    await(topic.ack("s", List.of(1L)));
    assertThat(await(space.topics(10, Optional.empty())).items())
        .extracting(TopicInfo::name)
        .containsExactly("news");
    restart("");
    assertThat(refusal(space.topic("news").publish(Content.text("x"))))
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(await(spaces.describe(ANNA, name)).state()).isEqualTo(SpaceInfo.State.ARCHIVED);
  }
}
