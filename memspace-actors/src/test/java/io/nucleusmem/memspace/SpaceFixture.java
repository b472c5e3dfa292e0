package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/**
 * A node over a store in memory whose time a test moves, and for each test a new shared space of
 * anna's.
 */
abstract class SpaceFixture {
  static final Principal ANNA = Principal.of("anna");
  static final Principal BEN = Principal.of("ben");
  static final Principal ADMIN = new Principal("root", true);

  /** How far the store's clock goes before the system's, in milliseconds. */
  static final AtomicLong AHEAD = new AtomicLong();

  static MemoryStore store;
  static TestNode node;

  MemSpaces spaces;
  String name;
  MountedSpace space;

  @BeforeAll
  static void startNode() {
    AHEAD.set(0);
    store =
        new MemoryStore(
            StoreScope.ALL,
            ForkJoinPool.commonPool(),
            () -> System.currentTimeMillis() + AHEAD.get(),
            FaultPlan.NONE,
            Resends.CHECKED);
    node = TestNode.start(store);
  }

  @AfterAll
  static void stopNode() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    spaces = node.spaces();
    name = "s-" + UUID.randomUUID();
    space = create(CreateSpace.shared(name));
  }

  /** Everything in memory goes; what is stored stays. */
  void restart(String config) {
    node.close();
    node = TestNode.start(store, config);
    spaces = node.spaces();
    space = await(spaces.open(ANNA, space.mount().id()));
  }

  /** Moves the store's time on. */
  static void pass(Duration time) {
    long then = Timestamps.millis(await(store.now())) + time.toMillis();
    AHEAD.set(then - System.currentTimeMillis());
    RequestStamp.notBefore(then);
  }

  MountedSpace create(CreateSpace request) {
    CreatedSpace created = await(spaces.create(ANNA, request, WriteOptions.DEFAULT));
    return await(spaces.open(ANNA, created.mount().id()));
  }

  MountedSpace mountForBen(Access access) {
    return await(spaces.mount(BEN, name, MountRequest.of("ben", access)));
  }

  Optional<String> textAt(MountedSpace mounted, String key) {
    return await(mounted.get(EntryKey.of(key))).map(Entry::text);
  }

  /** What a call is refused with; fails if it is not refused. */
  static ErrorCode refusal(CompletionStage<?> stage) {
    return failure(MemSpaceException.class, stage).code();
  }

  /** What a call throws at once; fails if it does not. */
  static <E extends Throwable> E failure(Class<E> type, ThrowingCallable call) {
    E failure = catchThrowableOfType(type, call);
    if (failure == null) {
      throw new AssertionError("the call was not refused");
    }
    return failure;
  }

  /** What a call fails with; fails if it does not, or otherwise. */
  static <E extends Throwable> E failure(Class<E> type, CompletionStage<?> stage) {
    return failure(type, () -> await(stage));
  }
}
