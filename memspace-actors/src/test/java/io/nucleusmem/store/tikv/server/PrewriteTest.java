package io.nucleusmem.store.tikv.server;

import static io.nucleusmem.store.tikv.server.RawClient.bytes;
import static io.nucleusmem.store.tikv.server.RawClient.mutation;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tikv.kvproto.Kvrpcpb.Assertion;
import org.tikv.kvproto.Kvrpcpb.AssertionLevel;
import org.tikv.kvproto.Kvrpcpb.KeyError;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.Op;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;
import org.tikv.kvproto.Kvrpcpb.PrewriteResponse;

class PrewriteTest {
  private TikvTestCluster cluster;
  private RawClient client;

  @BeforeEach
  void start() {
    cluster = TikvTestCluster.start();
    client = new RawClient(cluster);
  }

  @AfterEach
  void stop() {
    client.close();
    cluster.close();
  }

  @Test
  void onePhaseCommitsAtOnceAndLeavesNoLock() {
    long start = cluster.timestamp();
    PrewriteResponse answer =
        client.send(
            client
                .prewrite(start, mutation(Op.Put, "a", "1"), mutation(Op.Insert, "b", "2"))
                .setTryOnePc(true));

    long committed = answer.getOnePcCommitTs();
    assertThat(committed).isGreaterThan(start);
    assertThat(cluster.locks()).isEmpty();
    assertThat(client.get("b", committed - 1).getNotFound()).isTrue();
    assertThat(client.get("b", committed).getValue()).isEqualTo(bytes("2"));
  }

  @Test
  void onePhaseCommitsBehindEveryReadThatWasAnswered() {
    long start = cluster.timestamp();
    long read = cluster.timestamp();
    assertThat(client.get("a", read).getNotFound()).isTrue();

    PrewriteResponse answer =
        client.send(client.prewrite(start, mutation(Op.Put, "a", "1")).setTryOnePc(true));

    assertThat(answer.getOnePcCommitTs()).isGreaterThan(read);
    assertThat(client.get("a", read).getNotFound()).isTrue();
  }

  @Test
  void onePhaseFallsBackToLocksWhenItWouldCommitTooLate() {
    long start = cluster.timestamp();
    client.get("a", cluster.timestamp());

    PrewriteResponse answer =
        client.send(
            client
                .prewrite(start, mutation(Op.Put, "a", "1"))
                .setTryOnePc(true)
                .setMaxCommitTs(start + 1));

    assertThat(answer.getErrorsList()).isEmpty();
    assertThat(answer.getOnePcCommitTs()).isZero();
    assertThat(cluster.locks()).hasSize(1);
  }

  @Test
  void aResentOnePhaseCommitAnswersItsFirstTimestampAndWritesNothing() {
    long start = cluster.timestamp();
    var request = client.prewrite(start, mutation(Op.Insert, "a", "1")).setTryOnePc(true);
    long committed = client.send(request).getOnePcCommitTs();
    long overwritten = client.put(cluster, "a", "2");

    PrewriteResponse again = client.send(request.addMutations(mutation(Op.Put, "new", "x")));

    assertThat(again.getErrorsList()).isEmpty();
    assertThat(again.getOnePcCommitTs()).isEqualTo(committed);
    assertThat(client.get("a", cluster.timestamp()).getValue()).isEqualTo(bytes("2"));
    assertThat(client.get("new", cluster.timestamp()).getNotFound()).isTrue();
    assertThat(overwritten).isGreaterThan(committed);
  }

  @Test
  void anOlderTransactionConflictsEvenWhereItInserts() {
    long start = cluster.timestamp();
    long committed = client.put(cluster, "a", "1");

    KeyError error = only(client.prewrite(start, mutation(Op.Insert, "a", "2")));

    assertThat(error.hasConflict()).isTrue();
    assertThat(error.getConflict().getConflictCommitTs()).isEqualTo(committed);
  }

  @Test
  void insertIsRefusedWhereARowIsAndAcceptedWhereItWasDeleted() {
    client.put(cluster, "a", "1");
    KeyError error = only(client.prewrite(cluster.timestamp(), mutation(Op.Insert, "a", "2")));
    assertThat(error.getAlreadyExist().getKey()).isEqualTo(bytes("a"));

    long start = cluster.timestamp();
    client.send(client.prewrite(start, mutation(Op.Del, "a", "")).setTryOnePc(true));
    assertThat(
            client
                .send(client.prewrite(cluster.timestamp(), mutation(Op.Insert, "a", "2")))
                .getErrorsList())
        .isEmpty();
  }

  @Test
  void aCommittedLockDoesNotHideTheRowBelowItFromAnInsert() {
    client.put(cluster, "a", "1");
    client.send(client.prewrite(cluster.timestamp(), mutation(Op.Lock, "a", "")).setTryOnePc(true));

    assertThat(client.get("a", cluster.timestamp()).getValue()).isEqualTo(bytes("1"));
    assertThat(
            only(client.prewrite(cluster.timestamp(), mutation(Op.Insert, "a", "2")))
                .hasAlreadyExist())
        .isTrue();
  }

  @Test
  void aLockedKeyRefusesAllOfAPrewriteAndAllLocksAreNamed() {
    client.send(
        client.prewrite(
            cluster.timestamp(), mutation(Op.Put, "b", "1"), mutation(Op.Put, "c", "1")));

    PrewriteResponse answer =
        client.send(
            client.prewrite(
                cluster.timestamp(),
                mutation(Op.Put, "a", "2"),
                mutation(Op.Put, "b", "2"),
                mutation(Op.Put, "c", "2")));

    assertThat(answer.getErrorsList())
        .extracting(error -> error.getLocked().getKey().toStringUtf8())
        .containsExactly("b", "c");
    assertThat(cluster.locks()).hasSize(2);
  }

  @Test
  void assertionsAreCheckedAndOtherErrorsGoBeforeThem() {
    long old = cluster.timestamp();
    client.put(cluster, "there", "1");
    var missing = mutation(Op.Lock, "missing", "").setAssertion(Assertion.Exist);

    KeyError failed =
        only(
            client
                .prewrite(cluster.timestamp(), missing, mutation(Op.Put, "b", "1"))
                .setAssertionLevel(AssertionLevel.Fast));
    assertThat(failed.getAssertionFailed().getKey()).isEqualTo(bytes("missing"));
    assertThat(cluster.locks()).isEmpty();

    Mutation.Builder conflicting = mutation(Op.Put, "there", "2");
    KeyError conflict =
        only(client.prewrite(old, missing, conflicting).setAssertionLevel(AssertionLevel.Fast));
    assertThat(conflict.hasConflict()).isTrue();
  }

  @Test
  void aLatePrewriteOfARolledBackTransactionIsRefused() {
    long start = cluster.timestamp();
    client.rollback(start, "a");

    assertThat(only(client.prewrite(start, mutation(Op.Put, "a", "1"))).hasConflict()).isTrue();
    assertThat(cluster.locks()).isEmpty();
  }

  @Test
  void aRequestAboveTheRaftEntryIsRefused() {
    PrewriteRequest.Builder request =
        client.prewrite(cluster.timestamp(), mutation(Op.Put, "a", "x".repeat(8 << 20)));

    assertThat(client.send(request).getRegionError().hasRaftEntryTooLarge()).isTrue();
  }

  private KeyError only(PrewriteRequest.Builder request) {
    PrewriteResponse answer = client.send(request);
    assertThat(answer.getErrorsList()).hasSize(1);
    return answer.getErrors(0);
  }
}
