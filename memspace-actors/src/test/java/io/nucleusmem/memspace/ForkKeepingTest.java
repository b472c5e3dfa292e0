package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
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
  void g4ARevertLosesNothingThatIsWrittenMeanwhile() {
    EntryKey key = EntryKey.of("a");
    long good = put(space, "a", "good");
    put(space, "a", "bad");
    InvocationHandler meddling =
        (proxy, method, arguments) -> {
          if (method.isDefault()) {
            return InvocationHandler.invokeDefault(proxy, method, arguments);
          }
          Object answer = call(method, arguments);
          if (method.getName().equals("history")) {
            put(space, "a", "meanwhile");
          }
          return answer;
        };
    MountedSpace raced =
        (MountedSpace)
            Proxy.newProxyInstance(
                MountedSpace.class.getClassLoader(), new Class<?>[] {MountedSpace.class}, meddling);
    assertThat(refusal(raced.revert(key, good))).isEqualTo(ErrorCode.REVISION_MISMATCH);
    assertThat(textAt(space, "a")).contains("meanwhile");
    await(space.revert(key, good));
    assertThat(textAt(space, "a")).contains("good");
    long before = await(space.delete(key)).revision();
    assertThat(refusal(space.revert(key, before))).isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
  }

  private Object call(Method method, Object[] arguments) throws Throwable {
    Object answer = method.invoke(space, arguments);
    if (answer instanceof java.util.concurrent.CompletionStage<?> stage) {
      await(stage);
    }
    return answer;
  }
}
