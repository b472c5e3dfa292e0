package io.nucleusmem.routing.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.routing.Router.Answer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class RouterActorTest {
  private final Queue<Runnable> threads = new ArrayDeque<>();
  private final BehaviorTestKit<RouterActor.Message> router =
      BehaviorTestKit.create(
          RouterActor.create(
              RoutingSettings.from(
                  ConfigFactory.parseString("nucleusmem.routing { queue-max = 3, workers = 2 }")
                      .withFallback(ConfigFactory.load())
                      .resolve()),
              threads::add));

  private CompletableFuture<Answer> ask(CompletableFuture<Answer> computed) {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    router.run(new RouterActor.Ask(() -> computed, answer));
    return answer;
  }

  private void runThreads() {
    while (!threads.isEmpty()) {
      threads.remove().run();
    }
    while (router.selfInbox().hasMessages()) {
      router.run(router.selfInbox().receiveMessage());
    }
  }

  @Test
  void moreThanTheQueueHoldsIsRefusedAsBusyUntilThereIsAnAnswer() {
    CompletableFuture<Answer> model = new CompletableFuture<>();
    CompletableFuture<Answer> first = ask(model);
    ask(new CompletableFuture<>());
    ask(new CompletableFuture<>());
    assertThat(threads).as("two workers").hasSize(2);
    CompletableFuture<Answer> refused = ask(new CompletableFuture<>());
    Throwable failure = catchThrowable(() -> refused.getNow(null)).getCause();
    assertThat(((MemSpaceException) failure).code()).isEqualTo(ErrorCode.BUSY);
    assertThat(failure.getMessage()).contains("nucleusmem.routing.queue-max");

    runThreads();
    runThreads();
    assertThat(first).isNotDone();
    model.complete(Answer.nowhere(List.of(), "done"));
    runThreads();
    assertThat(first).isCompleted();
    assertThat(ask(new CompletableFuture<>())).isNotDone();
  }

  @Test
  void aRouterThatThrowsFailsItsOwnQuestionAlone() {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    router.run(
        new RouterActor.Ask(
            () -> {
              throw new IllegalStateException("out of order");
            },
            answer));
    runThreads();
    assertThat(answer).isCompletedExceptionally();
    CompletableFuture<Answer> next =
        ask(CompletableFuture.completedFuture(Answer.nowhere(List.of(), "x")));
    runThreads();
    assertThat(next).isCompleted();
  }
}
