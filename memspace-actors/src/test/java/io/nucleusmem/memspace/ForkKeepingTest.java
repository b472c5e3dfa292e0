package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** G4: what is asked of forks twice is done once, after a restart too; what a base hides. */
class ForkKeepingTest extends SpaceFixture {
  private MountedSpace fork(String of, String named) {
    CreatedSpace made =
        await(
            spaces
                .forks()
                .fork(ANNA, new ForkRequest(of, named, ReadAt.LATEST), WriteOptions.DEFAULT));
    return await(spaces.open(ANNA, made.mount().id()));
  }

  private static SpaceKeeping keeping() {
    return NucleusMem.get(node.system()).keeping();
  }

  private static long put(MountedSpace space, String key, String value) {
    return await(space.put(EntryKey.of(key), Content.text(value))).revision();
  }

  @Test
  void whatIsInQuarantineInABaseIsInItsForksToo() {
    EntryKey key = EntryKey.of("a");
    long good = put(space, "a", "good");
    long bad = put(space, "a", "bad");
    MountedSpace early = fork(name, name + "-early");
    MountedSpace deep = fork(name + "-early", name + "-deep");
    long own = put(early, "a", "own");
    await(keeping().quarantine(ANNA, name, key, bad, "wrong"));
    MountedSpace late = fork(name, name + "-late");
    for (MountedSpace each : java.util.List.of(space, early, deep, late)) {
      assertThat(refusal(each.pull(key, bad))).isEqualTo(ErrorCode.QUARANTINED);
      assertThat(await(each.pull(key, good)).orElseThrow().text()).isEqualTo("good");
    }
    assertThat(refusal(deep.get(key))).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(await(early.get(key)).orElseThrow().revision()).isEqualTo(own);
    MountedSpace examiner =
        await(
            spaces.mount(
                ANNA,
                name + "-deep",
                MountRequest.of("agent/b", Access.READ_ONLY).withQuarantined()));
    assertThat(await(examiner.get(key)).orElseThrow().text()).isEqualTo("bad");
    // what a fork's owner does there himself stays
    await(keeping().quarantine(ANNA, name + "-late", key, bad, "mine"));
    await(keeping().release(ANNA, name, key, bad));
    for (MountedSpace each : java.util.List.of(space, early, deep)) {
      assertThat(await(each.pull(key, bad)).orElseThrow().text()).isEqualTo("bad");
    }
    assertThat(refusal(late.pull(key, bad))).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(await(keeping().quarantined(ANNA, name + "-early"))).isEmpty();
  }

  @Test
  void g4AMergeUnderARequestIdIsDoneOnceAlsoAfterARestart() {
    put(space, "a", "1");
    MountedSpace fork = fork(name, name + "-fork");
    put(fork, "a", "fork");
    put(fork, "b", "fork");
    Optional<String> once = Optional.of("merge-" + UUID.randomUUID());
    Merged first =
        await(
            spaces
                .forks()
                .merge(new MergeRequest(fork, space, MergePolicy.THEIRS, Map.of(), once)));
    assertThat(first.keys()).isEqualTo(2);
    put(space, "a", "later");
    put(fork, "c", "not merged yet");
    restart("");
    fork = await(spaces.open(ANNA, fork.mount().id()));
    Merged again =
        await(
            spaces
                .forks()
                .merge(new MergeRequest(fork, space, MergePolicy.THEIRS, Map.of(), once)));
    assertThat(again).isEqualTo(first);
    assertThat(textAt(space, "a")).contains("later");
    assertThat(textAt(space, "c")).isEmpty();
    assertThat(
            refusal(
                spaces
                    .forks()
                    .merge(new MergeRequest(fork, space, MergePolicy.OURS, Map.of(), once))))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    assertThat(
            await(spaces.forks().merge(new MergeRequest(fork, space, MergePolicy.FAIL, Map.of())))
                .keys())
        .isEqualTo(1);
  }

  @Test
  void g4AMergeThatWasCutShortGoesOnWithTheForkAsItWas() {
    MountedSpace fork = fork(name, name + "-fork");
    put(fork, "a", "1");
    MemSpaceClient client = (MemSpaceClient) spaces;
    String id = UUID.randomUUID().toString();
    MergeRequest request =
        new MergeRequest(fork, space, MergePolicy.FAIL, Map.of(), Optional.of(id));
    put(space, "a", "other"); // a conflict: the merge has begun, and has not been done
    assertThat(refusal(spaces.forks().merge(request))).isEqualTo(ErrorCode.MERGE_CONFLICT);
    put(fork, "b", "behind it");
    await(space.delete(EntryKey.of("a")));
    assertThat(await(client.forks().merge(request)).keys()).isEqualTo(1);
    assertThat(textAt(space, "a")).contains("1");
    assertThat(textAt(space, "b")).isEmpty();
  }

  @Test
  void g4AMergeThatWasCutShortBehindItsSecondPartTellsOfAllParts() {
    MountedSpace fork = fork(name, name + "-fork");
    for (int batch = 0; batch < 3; batch++) {
      List<Operation> operations = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        operations.add(new Operation.Put(EntryKey.of(batch + "/" + i), Content.text("v" + i)));
      }
      await(fork.write(operations, WriteOptions.DEFAULT));
    }
    Optional<String> once = Optional.of("merge-" + UUID.randomUUID());
    AtomicInteger writes = new AtomicInteger();
    MountedSpace dying = // the node dies when the second part is written, before it knows that
        meddled(
            (method, answer) ->
                method.getName().equals("write") && writes.incrementAndGet() == 2
                    ? CompletableFuture.failedStage(
                        new MemSpaceException(ErrorCode.UNAVAILABLE, "dead"))
                    : answer);
    MemSpaceException cut =
        failure(
            MemSpaceException.class,
            spaces.forks().merge(new MergeRequest(fork, dying, MergePolicy.FAIL, Map.of(), once)));
    assertThat(cut.details().get("parts")).isEqualTo(1);
    put(space, "other", "of somebody else");
    restart("");
    fork = await(spaces.open(ANNA, fork.mount().id()));
    MergeRequest again = new MergeRequest(fork, space, MergePolicy.FAIL, Map.of(), once);
    Merged merged = await(spaces.forks().merge(again));
    assertThat(merged).isEqualTo(new Merged(600, await(spaces.describe(ANNA, name)).revision(), 3));
    assertThat(await(spaces.forks().merge(again))).isEqualTo(merged);
    // another fork's merge under the same id has nothing to do with it
    MountedSpace second = fork(name, name + "-second");
    put(second, "a", "1");
    assertThat(
            await(
                    spaces
                        .forks()
                        .merge(new MergeRequest(second, space, MergePolicy.FAIL, Map.of(), once)))
                .parts())
        .isEqualTo(1);
  }

  @Test
  void g4ABookmarkOfNowUnderARequestIdStaysWhereItWasSetAlsoAfterARestart() {
    put(space, "a", "1");
    Forks forks = spaces.forks();
    WriteOptions set = WriteOptions.id("bookmark-" + UUID.randomUUID());
    WriteOptions remove = WriteOptions.id("bookmark-" + UUID.randomUUID());
    Bookmark first = await(forks.bookmark(space, "here", ReadAt.LATEST, set));
    put(space, "a", "2");
    restart("");
    forks = spaces.forks();
    assertThat(await(forks.bookmark(space, "here", ReadAt.LATEST, set))).isEqualTo(first);
    assertThat(await(forks.bookmark(space, "here"))).isEqualTo(first);
    assertThat(refusal(forks.bookmark(space, "there", ReadAt.LATEST, set)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    await(forks.removeBookmark(space, "here", remove));
    await(forks.bookmark(space, "here", ReadAt.LATEST));
    restart("");
    forks = spaces.forks();
    await(forks.removeBookmark(space, "here", remove));
    assertThat(await(forks.bookmark(space, "here")).name()).isEqualTo("here");
  }

  @Test
  void g4AMountUnderARequestIdIsMadeOnceAlsoAfterARestart() {
    WriteOptions once = WriteOptions.id("mount-" + UUID.randomUUID());
    MountRequest request =
        new MountRequest(
            "ben", Access.READ_ONLY, Set.of(Region.MEMORY, Region.TASK), List.of("a/"), Set.of());
    MountInfo first = await(spaces.mount(BEN, name, request, once)).mount();
    restart("");
    assertThat(await(spaces.mount(BEN, name, request, once)).mount()).isEqualTo(first);
    assertThat(refusal(spaces.mount(BEN, name, MountRequest.of("ben", Access.READ_ONLY), once)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    assertThat(await(spaces.mounts(BEN, name))).hasSize(1);
    await(spaces.unmount(BEN, first.id()));
    assertThat(refusal(spaces.mount(BEN, name, request, once))).isEqualTo(ErrorCode.MOUNT_REVOKED);
  }

  @Test
  void g4AClaimUnderARequestIdTakesNothingElseWhenItIsSentAgain() {
    put(space, "task/1", "1");
    put(space, "task/2", "2");
    WriteOptions once = WriteOptions.id("claim-" + UUID.randomUUID());
    EntryKey tasks = EntryKey.of("task/");
    Duration lease = Duration.ofMinutes(5);
    List<Claim> first = await(space.claim(tasks, "w", lease, 1, once));
    assertThat(first).hasSize(1);
    restart("");
    assertThat(await(space.claim(tasks, "w", lease, 1, once))).isEqualTo(first);
    assertThat(refusal(space.claim(tasks, "w", lease, 2, once)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
    assertThat(await(space.claim(tasks, "w", lease, 9))).hasSize(1);
  }

  @Test
  void g4ARevertUnderARequestIdRevertsNothingThatWasWrittenSince() {
    EntryKey key = EntryKey.of("a");
    long good = put(space, "a", "good");
    put(space, "a", "bad");
    WriteOptions once = WriteOptions.id("revert-" + UUID.randomUUID());
    Written first = await(space.revert(key, good, once));
    put(space, "a", "better");
    restart("");
    Written again = await(space.revert(key, good, once));
    assertThat(again.revision()).isEqualTo(first.revision());
    assertThat(again.replayed()).isTrue();
    assertThat(textAt(space, "a")).contains("better");
    assertThat(refusal(space.revert(EntryKey.of("b"), good, once)))
        .isIn(ErrorCode.IDEMPOTENCY_KEY_REUSED, ErrorCode.ENTRY_NOT_FOUND);
    assertThat(refusal(space.revert(key, good + 1, once)))
        .isEqualTo(ErrorCode.IDEMPOTENCY_KEY_REUSED);
  }

  @Test
  void g4ARevertLosesNothingThatIsWrittenMeanwhile() {
    EntryKey key = EntryKey.of("a");
    long good = put(space, "a", "good");
    put(space, "a", "bad");
    MountedSpace raced =
        meddled(
            (method, answer) -> {
              if (method.getName().equals("history")) {
                put(space, "a", "meanwhile");
              }
              return answer;
            });
    assertThat(refusal(raced.revert(key, good))).isEqualTo(ErrorCode.REVISION_MISMATCH);
    assertThat(textAt(space, "a")).contains("meanwhile");
    await(space.revert(key, good));
    assertThat(textAt(space, "a")).contains("good");
    long before = await(space.delete(key)).revision();
    assertThat(refusal(space.revert(key, before))).isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
  }

  /** The space; something happens behind its answers, or to them. */
  private MountedSpace meddled(BiFunction<Method, Object, Object> behind) {
    InvocationHandler handler =
        (proxy, method, arguments) ->
            method.isDefault()
                ? InvocationHandler.invokeDefault(proxy, method, arguments)
                : behind.apply(method, call(method, arguments));
    return (MountedSpace)
        Proxy.newProxyInstance(
            MountedSpace.class.getClassLoader(), new Class<?>[] {MountedSpace.class}, handler);
  }

  private Object call(Method method, Object[] arguments) throws Throwable {
    Object answer = method.invoke(space, arguments);
    if (answer instanceof java.util.concurrent.CompletionStage<?> stage) {
      await(stage);
    }
    return answer;
  }
}
