package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Claims: one holder at a time, a token that rises, a lease by the store's clock. */
class ClaimPromiseTest extends SpaceFixture {
  static final Duration MINUTE = Duration.ofMinutes(1);
  static final EntryKey QUEUE = EntryKey.task("q/");
  static final EntryKey ONE = EntryKey.task("q/1");

  void put(String... names) {
    for (String each : names) {
      await(space.put(EntryKey.task("q/" + each), Content.text(each)));
    }
  }

  List<Claim> claim(EntryKey prefix, int max) {
    return await(space.claim(prefix, "worker", MINUTE, max));
  }

  List<String> claimTexts(int max) {
    return claim(QUEUE, max).stream().map(claim -> claim.entry().text()).toList();
  }

  CompletionStage<Written> finish(Claim claim) {
    return space.write(
        new Operation.Delete(claim.entry().key(), Operation.ANY, OptionalLong.of(claim.token())));
  }

  static Operation.Put putUnder(Claim claim, String text, boolean done) {
    return new Operation.Put(
        claim.entry().key(),
        Content.text(text),
        Operation.ANY,
        OptionalLong.of(claim.token()),
        done);
  }

  // ---- one holder ----

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void eachTaskIsFinishedByOneOfManyWorkers(long seed) {
    int tasks = 150;
    Map<EntryKey, Claim> held = new ConcurrentHashMap<>();
    List<EntryKey> finished = new CopyOnWriteArrayList<>();
    List<CompletionStage<Void>> workers = new ArrayList<>();
    List<String> prefixes = List.of("q/", "q/a", "q/b", "");
    for (int i = 0; i < 8; i++) {
      EntryKey prefix = EntryKey.task(prefixes.get(i % prefixes.size()));
      workers.add(work(prefix, new Random(seed * 31 + i), held, finished, tasks));
    }
    List<CompletionStage<Written>> puts = new ArrayList<>();
    for (int i = 0; i < tasks; i++) {
      puts.add(space.put(EntryKey.task((i % 2 == 0 ? "q/a" : "q/b") + i), Content.text("" + i)));
    }
    puts.forEach(TestNode::await);
    workers.forEach(TestNode::await);
    assertThat(finished).doesNotHaveDuplicates().hasSize(tasks);
    assertThat(await(space.scan(ScanRequest.of(Region.TASK, ""))).items()).isEmpty();
  }

  /** Claims, and finishes or gives back what it got, until all is done. */
  CompletionStage<Void> work(
      EntryKey prefix,
      Random random,
      Map<EntryKey, Claim> held,
      List<EntryKey> finished,
      int tasks) {
    if (finished.size() == tasks) {
      return CompletableFuture.completedFuture(null);
    }
    return space
        .claim(prefix, "worker", MINUTE, 1 + random.nextInt(3))
        .thenCompose(
            claims -> {
              CompletionStage<?> all = CompletableFuture.completedFuture(null);
              for (Claim claim : claims) {
                assertThat(held.put(claim.entry().key(), claim)).as("held by another").isNull();
                all = all.thenCompose(done -> settle(claim, random.nextInt(4) > 0, held, finished));
              }
              return all;
            })
        .thenComposeAsync(done -> work(prefix, random, held, finished, tasks));
  }

  CompletionStage<?> settle(
      Claim claim, boolean finish, Map<EntryKey, Claim> held, List<EntryKey> finished) {
    held.remove(claim.entry().key());
    return finish
        ? finish(claim).thenAccept(done -> finished.add(claim.entry().key()))
        : space.release(claim.entry().key(), claim.token());
  }

  @Test
  void claimsUnderOverlappingPrefixesExcludeEachOther() {
    put("a/1", "b/1");
    assertThat(claim(EntryKey.task("q/a/"), 5)).hasSize(1);
    assertThat(claim(QUEUE, 5)).extracting(c -> c.entry().text()).containsExactly("b/1");
    assertThat(claim(EntryKey.task(""), 5)).isEmpty();
    assertThat(claim(EntryKey.task("q/b/1"), 5)).isEmpty();
  }

  @Test
  void oldestCurrentVersionIsClaimedFirst() {
    put("1", "2", "3");
    put("1");
    assertThat(claimTexts(1)).containsExactly("2");
    assertThat(claimTexts(5)).containsExactly("3", "1");
  }

  @Test
  void claimedTasksAreOldestFirstAndNoneStarvesIfMoreIsClaimableThanIsHeldInMemory() {
    restart("nucleusmem.memspace.claimable-max = 4");
    put(IntStream.range(0, 12).mapToObj(Integer::toString).toArray(String[]::new));
    List<String> order = new ArrayList<>();
    for (int i = 12; order.size() < 30; i++) {
      put("" + i); // there is always something new
      order.addAll(claimTexts(1));
    }
    assertThat(order).isEqualTo(IntStream.range(0, 30).mapToObj(Integer::toString).toList());
    restart("");
  }

  // ---- tokens ----

  @Test
  void tokensRiseForEverAlsoOverRestarts() {
    put("1");
    List<Long> tokens = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      if (i == 3) {
        restart("");
      }
      Claim claim = claim(QUEUE, 1).get(0);
      tokens.add(claim.token());
      await(space.release(ONE, claim.token()));
    }
    assertThat(tokens).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void claimedTaskIsWrittenRenewedAndGivenBackOnlyWithItsToken() {
    put("1");
    Claim claim = claim(QUEUE, 1).get(0);
    Claim forged = new Claim(claim.entry(), claim.token() + 1, claim.expiresAt());
    assertThat(
            List.of(
                refusal(space.write(putUnder(forged, "x", true))),
                refusal(finish(forged)),
                refusal(space.renew(ONE, forged.token(), MINUTE)),
                refusal(space.release(ONE, forged.token()))))
        .containsOnly(ErrorCode.CLAIM_LOST);
    assertThat(
            List.of(
                refusal(space.put(ONE, Content.text("x"))),
                refusal(space.delete(ONE)),
                refusal(space.add(ONE, 1))))
        .containsOnly(ErrorCode.CLAIMED);
    assertThat(await(space.get(ONE)).orElseThrow().text()).isEqualTo("1");
    await(space.write(putUnder(claim, "half done", false)));
    assertThat(claim(QUEUE, 1)).as("still held").isEmpty();
    await(space.write(putUnder(claim, "done", true)));
    assertThat(claimTexts(1)).containsExactly("done");
    assertThat(refusal(finish(claim))).isEqualTo(ErrorCode.CLAIM_LOST);
  }

  @Test
  void claimEndsWithItsTask() {
    put("1");
    Claim claim = claim(QUEUE, 1).get(0);
    await(finish(claim));
    assertThat(refusal(space.renew(ONE, claim.token(), MINUTE))).isEqualTo(ErrorCode.CLAIM_LOST);
    put("1");
    assertThat(claim(QUEUE, 1)).hasSize(1);
  }

  @Test
  void batchWithALostClaimChangesNothing() {
    put("1");
    Claim claim = claim(QUEUE, 1).get(0);
    await(space.release(ONE, claim.token()));
    assertThat(
            refusal(
                space.write(
                    List.of(
                        new Operation.Put(EntryKey.of("result"), Content.text("x")),
                        putUnder(claim, "done", true)),
                    WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.CLAIM_LOST);
    assertThat(await(space.get(EntryKey.of("result")))).isEmpty();
  }

  // ---- leases ----

  @Test
  void claimHoldsForItsLeaseAndNoLonger() {
    put("1");
    Claim first = claim(QUEUE, 1).get(0);
    pass(Duration.ofSeconds(50));
    assertThat(claim(QUEUE, 1)).isEmpty();
    pass(Duration.ofSeconds(11));
    assertThat(refusal(space.write(putUnder(first, "late", true))))
        .as("expired is lost, even if nobody else has claimed since")
        .isEqualTo(ErrorCode.CLAIM_LOST);
    assertThat(refusal(space.renew(ONE, first.token(), MINUTE))).isEqualTo(ErrorCode.CLAIM_LOST);
    Claim second = claim(QUEUE, 1).get(0);
    assertThat(second.token()).isGreaterThan(first.token());
    assertThat(refusal(space.write(putUnder(first, "late", true)))).isEqualTo(ErrorCode.CLAIM_LOST);
    assertThat(refusal(finish(first))).isEqualTo(ErrorCode.CLAIM_LOST);
    assertThat(refusal(space.release(ONE, first.token()))).isEqualTo(ErrorCode.CLAIM_LOST);
    await(finish(second));
  }

  @Test
  void renewedClaimHoldsFromThenOn() {
    put("1");
    Claim claim = claim(QUEUE, 1).get(0);
    pass(Duration.ofSeconds(50));
    Claim renewed = await(space.renew(ONE, claim.token(), MINUTE));
    assertThat(renewed.token()).isEqualTo(claim.token());
    assertThat(renewed.expiresAt()).isAfter(claim.expiresAt());
    assertThat(renewed.entry()).isEqualTo(claim.entry());
    pass(Duration.ofSeconds(50));
    assertThat(claim(QUEUE, 1)).isEmpty();
    await(finish(renewed));
  }

  @Test
  void taskWhoseClaimHasExpiredIsWrittenWithoutAToken() {
    put("1");
    Claim claim = claim(QUEUE, 1).get(0);
    pass(Duration.ofSeconds(61));
    put("1");
    assertThat(refusal(finish(claim))).isEqualTo(ErrorCode.CLAIM_LOST);
    assertThat(claim(QUEUE, 1)).hasSize(1);
  }

  @Test
  void claimsSurviveARestartWithWhatIsLeftOfTheirLease() {
    put("1", "2", "3");
    Claim one = claim(QUEUE, 1).get(0);
    Claim two = await(space.claim(QUEUE, "worker", Duration.ofMinutes(10), 1)).get(0);
    restart("");
    assertThat(claimTexts(1)).containsExactly("3");
    await(space.write(putUnder(one, "still mine", false)));
    pass(Duration.ofSeconds(61));
    assertThat(refusal(finish(one))).isEqualTo(ErrorCode.CLAIM_LOST);
    await(finish(two));
    restart("");
    assertThat(claimTexts(5)).containsExactly("3", "still mine");
  }

  // ---- limits ----

  @Test
  void g11OpenClaimsOfASpaceHaveALimitWhateverTheirPrefixes() {
    restart("nucleusmem.memspace { claims-max = 2, call-timeout = 1s }");
    put("a/1", "b/1", "c/1");
    Claim first = claim(EntryKey.task("q/a/"), 1).get(0);
    claim(EntryKey.task("q/b/"), 1);
    assertThat(refusal(space.claim(EntryKey.task("q/c/"), "w", MINUTE, 1)))
        .isEqualTo(ErrorCode.BUSY);
    await(finish(first));
    assertThat(claim(EntryKey.task("q/c/"), 1)).hasSize(1);
    put("a/1");
    pass(Duration.ofSeconds(61));
    assertThat(claim(EntryKey.task("q/a/"), 1)).as("expired ones do not count").hasSize(1);
    restart("");
  }

  @Test
  void g11ClaimsOutsideOfTheirLimitsAreRefused() {
    put("1");
    List<CompletionStage<?>> calls =
        List.of(
            space.claim(QUEUE, "w", Duration.ZERO, 1),
            space.claim(QUEUE, "w", Duration.ofMinutes(61), 1),
            space.claim(QUEUE, "w", MINUTE, 0),
            space.claim(QUEUE, "w", MINUTE, 101),
            space.claim(QUEUE, "", MINUTE, 1),
            space.claim(new EntryKey(Region.COMM, "q"), "w", MINUTE, 1),
            space.renew(ONE, 1, Duration.ofMinutes(61)));
    for (CompletionStage<?> call : calls) {
      assertThat(refusal(call)).isEqualTo(ErrorCode.INVALID_REQUEST);
    }
    assertThat(claim(QUEUE, 100)).hasSize(1);
  }
}
