package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** G7: what a fork or a bookmark needs is kept from the moment on at which it is made. */
class PinRaceTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final int ROUNDS = 30;
  private static final int VERSIONS = 12;
  private static final KeyRange NOTHING = new KeyRange(Bytes.utf8("x"), Bytes.utf8("x"));

  private final AtomicLong ahead = new AtomicLong();
  private volatile KeyRange held = NOTHING; // commits that write there are held back
  private MemoryStore store;
  private TestNode node;

  private void start(StoreScope scope, String config) {
    store =
        new MemoryStore(
            scope,
            ForkJoinPool.commonPool(),
            () -> System.currentTimeMillis() + ahead.get(),
            batch ->
                batch.ops().stream().anyMatch(op -> held.contains(op.key()))
                    ? Fault.SLOW
                    : Fault.NONE,
            Resends.CHECKED);
    node = TestNode.start(store, config);
  }

  @AfterEach
  void stop() {
    node.close();
    store.close();
  }

  private MountedSpace make(CreateSpace request) {
    CreatedSpace made = await(node.spaces().create(ANNA, request, WriteOptions.DEFAULT));
    return await(node.spaces().open(ANNA, made.mount().id()));
  }

  private static Optional<MemSpaceException> failure(CompletableFuture<?> call) {
    try {
      call.join();
      return Optional.empty();
    } catch (CompletionException e) {
      return Optional.of((MemSpaceException) e.getCause());
    }
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void entriesThatAForkOrABookmarkNeedsAreThereOrItIsRefused(StoreScope scope) {
    start(scope, "");
    Random random = new Random(5);
    MemSpaces spaces = node.spaces();
    int made = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String name = "s-" + round;
      MountedSpace space = make(CreateSpace.shared(name));
      List<Map<String, String>> states = new ArrayList<>(List.of(Map.of()));
      for (int i = 1; i <= VERSIONS; i++) {
        await(space.put(EntryKey.of("k" + i % 3), Content.text("v" + i)));
        states.add(ForkContract.state(space, ReadAt.LATEST, Direction.ASCENDING));
      }
      ReadAt at = ReadAt.revision(1 + random.nextInt(VERSIONS));
      long revision = ((ReadAt.AtRevision) at).revision();
      // which comes first is the owner's to decide
      CompletableFuture<Long> compacting =
          CompletableFuture.supplyAsync(
                  () -> NucleusMem.get(node.system()).system().compact(name, VERSIONS))
              .thenCompose(stage -> stage);
      CompletableFuture<CreatedSpace> forking =
          CompletableFuture.supplyAsync(
                  () ->
                      spaces
                          .forks()
                          .fork(ANNA, new ForkRequest(name, name + "-f", at), WriteOptions.DEFAULT))
              .thenCompose(stage -> stage);
      CompletableFuture<Bookmark> marking =
          CompletableFuture.supplyAsync(() -> spaces.forks().bookmark(space, "b", at))
              .thenCompose(stage -> stage);
      compacting.join();
      Optional<MemSpaceException> refused = failure(forking);
      refused.ifPresent(why -> assertThat(why.code()).isEqualTo(ErrorCode.COMPACTED));
      if (refused.isEmpty()) {
        made++;
        MountedSpace fork = await(spaces.openOnly(ANNA, name + "-f"));
        assertThat(ForkContract.state(fork, ReadAt.LATEST, Direction.ASCENDING))
            .isEqualTo(states.get((int) revision));
      }
      refused = failure(marking);
      refused.ifPresent(why -> assertThat(why.code()).isEqualTo(ErrorCode.COMPACTED));
      if (refused.isEmpty()) {
        made++;
        assertThat(ForkContract.state(space, ReadAt.bookmark("b"), Direction.ASCENDING))
            .isEqualTo(states.get((int) revision));
      }
    }
    assertThat(made).isPositive();
  }

  @Test
  void messagesAreNotLetGoBehindThePinOfAFork() {
    // so short that who waits for what is held gives up
    start(StoreScope.ALL, "nucleusmem.memspace { call-timeout = 2s, attempt-timeout = 1s }");
    MemSpaces spaces = node.spaces();
    MountedSpace space =
        make(
            new CreateSpace(
                "s",
                SpaceKind.SHARED,
                Optional.empty(),
                Map.of(),
                new Retention(Optional.empty(), OptionalLong.of(1), OptionalLong.empty())));
    for (int i = 1; i <= 5; i++) {
      await(space.topic("t").publish(Content.text("m" + i)));
    }
    MemSpaceClient client = (MemSpaceClient) spaces;
    held =
        LedgerKeys.all(
            await(client.topics().find(SpaceRows.spaceOf(space.mount().id()), "t")).orElseThrow());
    await(NucleusMem.get(node.system()).keeping().compact(ANNA, "s", OptionalLong.empty(), false));
    eventually(() -> !store.held().isEmpty()); // the floor of the topic is decided
    ForkRequest request = new ForkRequest("s", "f", ReadAt.LATEST);
    assertThat(
            failure(spaces.forks().fork(ANNA, request, WriteOptions.DEFAULT).toCompletableFuture()))
        .hasValueSatisfying(why -> assertThat(why.code()).isEqualTo(ErrorCode.BUSY));
    assertThat(failure(spaces.forks().bookmark(space, "b", ReadAt.LATEST).toCompletableFuture()))
        .hasValueSatisfying(why -> assertThat(why.code()).isEqualTo(ErrorCode.BUSY));
    held = NOTHING;
    store.held().forEach(MemoryStore.Held::release);
    // who let them go may have died: that ends too
    ahead.addAndGet(LettingGo.PERMIT.plusSeconds(1).toMillis());
    RequestStamp.notBefore(Timestamps.millis(await(store.now())));
    eventually(
        () ->
            failure(spaces.forks().fork(ANNA, request, WriteOptions.DEFAULT).toCompletableFuture())
                .isEmpty());
    MountedSpace fork = await(spaces.openOnly(ANNA, "f"));
    MessageRange all = MessageRange.all();
    MessageRange fromFirst =
        new MessageRange(
            Optional.<MessageRange.Bound>of(new MessageRange.Bound.Revision(1)),
            all.until(),
            all.direction(),
            all.values(),
            all.limit(),
            all.cursor());
    assertThat(failure(fork.topic("t").fetch(fromFirst).toCompletableFuture()))
        .hasValueSatisfying(why -> assertThat(why.code()).isEqualTo(ErrorCode.COMPACTED));
    assertThat(await(fork.topic("t").message(5)).orElseThrow().content().text()).isEqualTo("m5");
  }
}
