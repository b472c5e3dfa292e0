package io.nucleusmem.agent;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Principal;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A message is not handled before what the agent began for it has ended: it comes again. */
class AgentUnfinishedTest {
  static final int MANY = 1_100; // messages behind one that goes on for ever

  sealed interface Heard {
    record Told(AgentContext.Seen<Message> message) implements Heard {}

    record Worked(Message asked, String result) implements Heard {}
  }

  volatile CompletableFuture<String> work = new CompletableFuture<>();

  final AgentTestKit kit =
      AgentTestKit.start(AgentType.of("worker", Heard.class, this::create).inbox(Heard.Told::new));

  /** Begins what takes long on "work", reports the rest, but for "quiet". */
  Behavior<Heard> create(AgentContext<Heard> ctx) {
    return Behaviors.receiveMessage(
        heard -> {
          if (heard instanceof Heard.Worked worked) {
            if (worked.result().equals("crash")) {
              throw new IllegalStateException("as asked");
            }
            ctx.reply(worked.asked(), Content.text(worked.result()));
            return Behaviors.same();
          }
          AgentContext.Seen<Message> told = ((Heard.Told) heard).message();
          String text = told.what().content().text();
          if (text.equals("work")) {
            ctx.pipe(work, (result, failure) -> new Heard.Worked(told.what(), result));
          }
          if (!text.equals("quiet")) {
            ctx.reply(told.what(), Content.text(told.redelivered() ? text + " again" : text));
          }
          return Behaviors.same();
        });
  }

  @AfterEach
  void end() {
    kit.close();
  }

  List<String> reported(int count) {
    return java.util.stream.Stream.generate(() -> kit.received().content().text())
        .limit(count)
        .toList();
  }

  @Test
  void crashBeforeAResultIsThereBringsTheMessageAgainAndThoseBehindIt() {
    kit.send("work");
    kit.send("next");
    assertThat(reported(2)).containsExactly("work", "next");
    kit.crash();
    assertThat(reported(2)).containsExactly("work again", "next again");
    work.complete("done");
    assertThat(reported(1)).containsExactly("done");
    kit.until( // the answer is here before the agent hears that it has left
        "both messages to be done",
        () -> CompletableFuture.completedFuture(kit.info().cursors().get("inbox")),
        cursor -> cursor != null && cursor == 2);
    kit.crash();
    kit.send("new");
    assertThat(reported(1)).containsExactly("new");
  }

  @Test
  void nextLifeOfAStoppedAgentGetsWhatItDidNotFinish() throws Exception {
    kit.send("work");
    assertThat(reported(1)).containsExactly("work");
    kit.agents().stop(Principal.LOCAL, kit.id()).toCompletableFuture().get();
    work = CompletableFuture.completedFuture("done");
    kit.agents()
        .spawn(Principal.LOCAL, AgentSpec.of("worker", kit.id()))
        .toCompletableFuture()
        .get();
    assertThat(reported(2)).containsExactly("work again", "done");
  }

  @Test
  void messageWhoseResultCrashesTheAgentEachTimeIsBuriedLikeOneThatDoesItself() {
    work = CompletableFuture.completedFuture("crash");
    kit.send("work");
    assertThat(reported(5)).containsOnly("work", "work again");
    kit.send("after");
    assertThat(reported(1)).containsExactly("after");
    assertThat(kit.info().restarts()).isEqualTo(5);
  }

  @Test
  void workThatNeverEndsHoldsUpOnlySoManyMessages() {
    kit.send("work");
    for (int i = 0; i < MANY; i++) {
      kit.send("quiet");
    }
    kit.send("last");
    assertThat(reported(2)).containsExactly("work", "last");
    kit.crash();
    kit.send("new");
    assertThat(reported(1)).containsExactly("new");
  }
}
