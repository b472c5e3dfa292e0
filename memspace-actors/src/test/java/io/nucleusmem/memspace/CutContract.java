package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** G7, G8: what all spaces were at an instant, also those that can't tell everything any more. */
abstract class CutContract {
  private static final Principal ANNA = Principal.of("anna");
  private static final Principal BEN = Principal.of("ben");
  private static final AtomicLong AHEAD = new AtomicLong();
  private static final AtomicLong ROWS_READ = new AtomicLong();

  private static MemoryStore store;
  private static TestNode node;

  private MemSpaces spaces;
  private String name;
  private MountedSpace space;

  static void start(StoreScope scope) {
    AHEAD.set(0);
    store =
        new MemoryStore(
            scope,
            ForkJoinPool.commonPool(),
            () -> System.currentTimeMillis() + AHEAD.get(),
            FaultPlan.NONE,
            Resends.CHECKED);
    node = TestNode.start(counting(store));
  }

  /** The store, with the rows counted that scans of it give. */
  private static KvStore counting(KvStore real) {
    return (KvStore)
        Proxy.newProxyInstance(
            KvStore.class.getClassLoader(),
            new Class<?>[] {KvStore.class},
            (proxy, method, arguments) -> {
              Object answer;
              try {
                answer = method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              if (method.getName().startsWith("scan")) {
                ((CompletionStage<?>) answer)
                    .thenAccept(page -> ROWS_READ.addAndGet(((Page) page).rows().size()));
              }
              return answer;
            });
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    spaces = node.spaces();
    name = "s-" + UUID.randomUUID();
    space = create(CreateSpace.shared(name));
  }

  private MountedSpace create(CreateSpace request) {
    CreatedSpace made = await(spaces.create(ANNA, request, WriteOptions.DEFAULT));
    return await(spaces.open(ANNA, made.mount().id()));
  }

  private void label(String value) {
    await(
        spaces.update(
            ANNA,
            name,
            new UpdateSpace(Optional.of(Map.of("n", value)), Optional.empty(), Optional.empty())));
  }

  private static void put(MountedSpace into, String value) {
    await(into.put(EntryKey.of("k"), Content.text(value)));
  }

  private static void pass(Duration time) {
    long then = Timestamps.millis(await(store.now())) + time.toMillis();
    AHEAD.set(then - System.currentTimeMillis());
    RequestStamp.notBefore(then);
  }

  /** This moment; the next thing comes later. */
  private static Instant instant() {
    Instant now = Timestamps.instant(await(store.now()));
    pass(Duration.ofSeconds(1));
    return now;
  }

  /** What is in the log alone stays there: the index goes first. */
  private void compact(long floor) {
    TestNode.eventually(isIndexed());
    await(NucleusMem.get(node.system()).system().compact(name, floor));
  }

  private Map<String, SpaceAt> cut(Principal caller, Instant at) {
    Map<String, SpaceAt> all = new TreeMap<>();
    Optional<String> next = Optional.empty();
    do {
      Paged<SpaceAt> page = await(spaces.cuts().spaces(caller, at, 2, next));
      for (SpaceAt each : page.items()) {
        assertThat(all.put(each.name(), each)).as("each once").isNull();
      }
      next = page.next();
    } while (next.isPresent());
    return all;
  }

  private List<MountAt> mounts(Principal caller, Instant at) {
    List<MountAt> all = new ArrayList<>();
    Optional<String> next = Optional.empty();
    do {
      Paged<MountAt> page = await(spaces.cuts().mounts(caller, at, 1, next));
      all.addAll(page.items());
      next = page.next();
    } while (next.isPresent());
    return all;
  }

  private List<String> holders(Principal caller, Instant at) {
    return mounts(caller, at).stream()
        .filter(each -> each.space().equals(name))
        .map(each -> each.mount().orElseThrow().holder())
        .toList();
  }

  private String label(Instant at) {
    return cut(ANNA, at).get(name).info().orElseThrow().labels().get("n");
  }

  @Test
  void g7WhatASpaceWasIsToldAlsoWhenItWasCompactedSince() {
    label("1");
    Instant first = instant();
    label("2");
    put(space, "a");
    Instant second = instant();
    label("3");
    put(space, "b");
    MountedSpace other = create(CreateSpace.shared(name + "-other"));
    put(other, "x");
    Instant third = instant();
    pass(Duration.ofMinutes(11)); // further back than the log is kept for requests

    put(space, "c");
    compact(5); // the put of b

    SpaceAt early = cut(ANNA, first).get(name);
    assertThat(early.content()).isEqualTo(SpaceAt.Content.COMPACTED);
    assertThat(early.info()).isEmpty();
    assertThat(early.oldestRevision()).isEqualTo(5);
    assertThat(cut(ANNA, second).get(name)).isEqualTo(early);
    assertThat(label(third)).isEqualTo("3");
    SpaceAt told = cut(ANNA, third).get(name + "-other");
    assertThat(told.content()).as("the others are told").isEqualTo(SpaceAt.Content.PRESENT);
    assertThat(told.info().orElseThrow().revision()).isEqualTo(1);
    assertThat(mounts(ANNA, first))
        .filteredOn(each -> each.space().equals(name))
        .containsExactly(new MountAt(name, Optional.empty(), 5));
    assertThat(holders(ANNA, third)).containsExactly("anna");
  }

  @Test
  void whatIsBehindTheFloorIsSaidSoWhileTheLogStillTellsTheRest() {
    put(space, "a");
    label("1");
    Instant then = instant();
    label("2");
    put(space, "b");
    compact(4);

    SpaceAt was = cut(ANNA, then).get(name);
    assertThat(was.content()).isEqualTo(SpaceAt.Content.COMPACTED);
    assertThat(was.oldestRevision()).isEqualTo(4);
    assertThat(was.info().orElseThrow().revision()).isEqualTo(2);
    assertThat(label(then)).isEqualTo("1");
    assertThat(holders(ANNA, then)).containsExactly("anna");
  }

  @Test
  void aSpaceThatWasDeletedSinceIsInTheCut() {
    label("1");
    put(space, "a");
    await(spaces.mount(BEN, name, MountRequest.of("agent/ben", Access.READ_ONLY)));
    Instant then = instant();
    SpaceAt there = cut(ANNA, then).get(name);
    List<String> held = holders(ANNA, then);
    label("2");
    await(spaces.delete(ANNA, name));
    Instant between = instant();
    MountedSpace again = create(CreateSpace.shared(name));
    put(again, "b");
    Instant later = instant();

    SpaceAt was = cut(ANNA, then).get(name);
    assertThat(was.content()).isEqualTo(SpaceAt.Content.SPACE_DELETED);
    assertThat(was.info().orElseThrow().labels()).containsEntry("n", "1");
    assertThat(was.info().orElseThrow().createdAt())
        .isEqualTo(there.info().orElseThrow().createdAt());
    assertThat(holders(ANNA, then)).isEqualTo(held).contains("anna", "agent/ben");
    assertThat(cut(ANNA, between)).doesNotContainKey(name);
    assertThat(holders(ANNA, between)).isEmpty();
    assertThat(cut(ANNA, later).get(name).content()).isEqualTo(SpaceAt.Content.PRESENT);
    assertThat(await(spaces.cuts().space(ANNA, name, then))).contains(was);
    assertThat(await(spaces.cuts().space(ANNA, name, between))).isEmpty();
    await(spaces.delete(ANNA, name));
    assertThat(cut(ANNA, then)).containsEntry(name, was);
    assertThat(cut(ANNA, later).get(name).content()).isEqualTo(SpaceAt.Content.SPACE_DELETED);
  }

  @Test
  void g9ADeletedPrivateSpaceIsToldToItsOwnerAlone() {
    String secret = name + "-secret";
    await(
        spaces.create(
            ANNA,
            new CreateSpace(
                secret, SpaceKind.PRIVATE, Optional.empty(), Map.of(), Retention.KEEP_ALL),
            WriteOptions.DEFAULT));
    Instant then = instant();
    await(spaces.delete(ANNA, secret));
    instant();
    assertThat(cut(ANNA, then)).containsKey(secret);
    assertThat(cut(BEN, then)).doesNotContainKey(secret);
    assertThat(mounts(BEN, then)).noneMatch(each -> each.space().equals(secret));
    assertThat(await(spaces.cuts().space(BEN, secret, then))).isEmpty();
  }

  @Test
  void aNameThatWasUsedOftenIsShownOnceInEachCut() {
    List<Instant> lived = new ArrayList<>();
    for (int life = 0; life < 6; life++) {
      label(Integer.toString(life));
      lived.add(instant());
      await(spaces.delete(ANNA, name));
      instant();
      create(CreateSpace.shared(name));
    }
    for (int life = 0; life < lived.size(); life++) {
      assertThat(label(lived.get(life))).isEqualTo(Integer.toString(life));
    }
  }

  /** However much was written since, or before. */
  @Test
  void aCutReadsNoMoreForALongHistory() {
    label("1");
    Instant then = instant();
    long few = rowsReadByACut(then);
    for (int i = 0; i < 400; i++) {
      put(space, "v" + i);
    }
    label("2");
    instant();
    assertThat(label(then)).isEqualTo("1");
    // a step or two more of the search for the revision
    assertThat(rowsReadByACut(then)).isLessThan(few + 30);
  }

  private long rowsReadByACut(Instant at) {
    TestNode.eventually(isIndexed());
    await(spaces.cuts().space(ANNA, name, at)); // closes it
    long before = ROWS_READ.get();
    await(spaces.cuts().space(ANNA, name, at));
    return ROWS_READ.get() - before;
  }

  private java.util.function.BooleanSupplier isIndexed() {
    var reader =
        new io.nucleusmem.ledger.LedgerReader(store, await(new Catalogue(store).resolve(name)));
    return () -> await(reader.indexed()) >= await(reader.newestRow()).orElseThrow().last();
  }

  /** As when the process that made it stood still before its commit. */
  @Test
  void g7ASpaceThatIsBeingMadeWhileACutIsTakenIsInNoneOfItsAnswers() {
    Creations creations = new Creations(store);
    Bytes gate = await(creations.open(name));
    long taken = await(store.now());
    pass(Duration.ofSeconds(1));
    Instant at = Timestamps.instant(taken);
    Map<String, SpaceAt> before = cut(ANNA, at);
    io.nucleusmem.store.WriteBatch late =
        io.nucleusmem.store.WriteBatch.at(taken)
            .insert(Catalogue.key(name + "-late"), Bytes.utf8("{}"))
            .require(gate)
            .build();
    Predicate<Throwable> refused =
        failure ->
            failure.getCause() instanceof io.nucleusmem.store.RefusedCommitException why
                && why.key().equals(gate);
    assertThat(store.commit(late).toCompletableFuture())
        .failsWithin(Duration.ofMinutes(1))
        .withThrowableThat()
        .matches(refused);
    assertThat(cut(ANNA, at)).isEqualTo(before);
    assertThat(await(creations.open(name))).isNotEqualTo(gate);
  }
}
