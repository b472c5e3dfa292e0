package io.nucleusmem.agent;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Message;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a crash of the behavior, or of the whole node, leaves of an agent. */
class AgentCrashTest {
  /** A failure that is larger than a message may be. */
  static final class Verbose extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String toString() {
      return "x".repeat(2_000_000);
    }
  }

  record Told(AgentContext.Seen<Message> message) {}

  static final AgentType<Told> TYPE =
      AgentType.of("teller", Told.class, AgentCrashTest::create).inbox(Told::new);

  /**
   * Reports each message as TEXT, or TEXT again; crashes on "verbose", and on "once" the first
   * time.
   */
  static Behavior<Told> create(AgentContext<Told> ctx) {
    return Behaviors.receiveMessage(
        told -> {
          Message message = told.message().what();
          String text = message.content().text();
          boolean again = told.message().redelivered();
          if (text.equals("once") && !again) {
            throw new IllegalStateException(text);
          }
          if (text.equals("verbose")) {
            throw new Verbose();
          }
          ctx.reply(message, Content.text(again ? text + " again" : text));
          return Behaviors.same();
        });
  }

  final AgentTestKit kit = AgentTestKit.start(TYPE);

  @AfterEach
  void end() {
    kit.close();
  }

  String reported() {
    return kit.received().content().text();
  }

  @Test
  void messageThatTheBehaviorCrashedOnComesAgainMarkedAndItsNeighboursDoNot() {
    List.of("before", "once", "after").forEach(kit::send);
    assertThat(List.of(reported(), reported(), reported()))
        .containsExactly("before", "once again", "after");
    kit.send("new");
    assertThat(reported()).isEqualTo("new");
    assertThat(kit.info().restarts()).isEqualTo(1);
  }

  @Test
  void messageHandledBeforeItsCursorWasSavedComesAgainMarked() {
    kit.send("one");
    assertThat(reported()).isEqualTo("one");
    kit.crashNode();
    assertThat(reported()).isEqualTo("one again");
    kit.send("two");
    assertThat(reported()).isEqualTo("two");
  }

  @Test
  void crashBetweenMessagesRepeatsNone() {
    kit.send("one");
    assertThat(reported()).isEqualTo("one");
    kit.crash();
    kit.send("two");
    assertThat(reported()).isEqualTo("two");
  }

  @Test
  void poisonWhoseFailureIsTooLongForADeadLetterHoldsUpNobody() {
    kit.send("verbose");
    kit.send("after");
    assertThat(reported()).isEqualTo("after");
    assertThat(kit.info().restarts()).isEqualTo(5);
  }

  @Test
  void pauseBeforeARestartDoublesAndIsBounded() {
    AgentSettings settings = AgentSettings.from(ConfigFactory.defaultReference());
    assertThat(List.of(0, 1, 2, 3).stream().map(settings::backoff))
        .containsExactly(
            Duration.ofMillis(200),
            Duration.ofMillis(400),
            Duration.ofMillis(800),
            Duration.ofMillis(1_600));
    assertThat(settings.backoff(8)).isEqualTo(Duration.ofSeconds(30));
    assertThat(settings.backoff(Integer.MAX_VALUE)).isEqualTo(Duration.ofSeconds(30));
  }
}
