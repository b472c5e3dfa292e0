package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that were sent to a member that is gone. */
@Timeout(120)
class CallsTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  private final ActorTestKit kit = ActorTestKit.create(ConfigFactory.empty());
  private final Calls calls = new Calls(kit.system(), LONG, LONG);

  private record Sent(Promise<String> promise, boolean again) {}

  @AfterEach
  void stop() {
    calls.stop();
    kit.shutdownTestKit();
  }

  @Test
  void whatGotNoAnswerIsSentAgainAndSaysSo() {
    Queue<Sent> sent = new ConcurrentLinkedQueue<>();
    CompletionStage<String> call =
        calls.call((promise, again) -> sent.add(new Sent(promise, again)));

    eventually(
        () -> {
          calls.again();
          return sent.size() > 1;
        });

    assertThat(sent.poll().again()).isFalse();
    Sent second = sent.poll();
    assertThat(second.again()).isTrue();
    second.promise().succeed("answer");
    assertThat(await(call)).isEqualTo("answer");
  }

  /** Else an owner that lives would hand a message to a pull that nobody waits for any more. */
  @Test
  void whatMayWaitAtItsOwnerIsLeftThere() {
    Queue<Sent> patient = new ConcurrentLinkedQueue<>();
    Queue<Sent> other = new ConcurrentLinkedQueue<>();
    calls.<String>call(
        LONG.dividedBy(2), (promise, again) -> patient.add(new Sent(promise, again)));
    calls.<String>call((promise, again) -> other.add(new Sent(promise, again)));

    eventually(
        () -> {
          calls.again();
          return other.size() > 2;
        });

    assertThat(patient).hasSize(1);
  }
}
