package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentContext.Reply;
import io.nucleusmem.agent.AgentContext.Seen;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * G10 over random interleavings: a rerun hands results over at the same places among the inputs as
 * the life did, whatever overtook what, also where the life crashed in between.
 */
@Timeout(240)
class RerunOrderTest {
  private static final int STEPS = 60;
  private static final int GATES_MAX = 8; // calls under way at a time
  private static final String CLERK = "clerk";

  sealed interface Msg {}

  record Told(Seen<Message> message) implements Msg {}

  record Changed(Seen<Signal> signal) implements Msg {}

  record Got(String what, Object value, Throwable failure) implements Msg {}

  record Rang(String what) implements Msg {}

  record Own(String what) implements Msg {}

  record Raw(String what) implements Msg {}

  /** What each life and each rerun saw, in its order. */
  private final List<Queue<String>> lives = new CopyOnWriteArrayList<>();

  private final Map<String, CompletableFuture<String>> gates = new ConcurrentHashMap<>();
  private final AtomicInteger calls = new AtomicInteger();

  private final AgentType<Msg> type = AgentType.of("eye", Msg.class, this::create).inbox(Told::new);

  private Behavior<Msg> create(AgentContext<Msg> ctx) {
    Queue<String> log = new ConcurrentLinkedQueue<>();
    lives.add(log);
    ctx.watch("jobs", "desk", WatchRequest.of(Region.TASK, "job/").from(1), Changed::new);
    ctx.space("desk")
        .watch(
            WatchRequest.of(Region.MEMORY, "raw/"),
            event -> {
              if (event instanceof WatchEvent.Signals some) {
                some.signals()
                    .forEach(s -> ctx.actor().getSelf().tell(new Raw("raw " + s.key().name())));
              }
              return CompletableFuture.completedStage(null);
            });
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              Signal signal = changed.signal().what();
              String name = signal.key().name();
              log.add(name + " " + signal.revision() + " " + changed.signal().redelivered());
              begin(ctx, name.substring("job/".length()));
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              log.add(got.what() + " " + shown(got.value()) + " " + got.failure());
              if (got.what().startsWith("call")) {
                ctx.pipe(
                    ctx.space("desk").put(EntryKey.of("after/" + got.what()), Content.text("x")),
                    (done, failure) -> new Got("written behind " + got.what(), null, failure));
              }
              return Behaviors.same();
            })
        .onMessage(Rang.class, rang -> logged(log, "rang " + rang.what()))
        .onMessage(Own.class, own -> logged(log, "own " + own.what()))
        .onMessage(Raw.class, raw -> logged(log, raw.what()))
        .onMessage(
            Told.class,
            told -> {
              Message message = told.message().what();
              log.add(message.content().text() + " " + told.message().redelivered());
              if (message.content().text().equals("crash") && !told.message().redelivered()) {
                throw new IllegalStateException("crashed by its test");
              }
              ctx.reply(message, Content.text("seen"));
              return Behaviors.same();
            })
        .build();
  }

  private static Behavior<Msg> logged(Queue<String> log, String what) {
    log.add(what);
    return Behaviors.same();
  }

  private static String shown(Object value) {
    return value instanceof Entry entry ? entry.text() + entry.revision() : String.valueOf(value);
  }

  /** Something whose result comes when the test, or chance, wants. */
  private void begin(AgentContext<Msg> ctx, String job) {
    String name = job.substring(job.indexOf('-') + 1) + " " + job;
    switch (job.substring(job.indexOf('-') + 1)) {
      case "call" ->
          ctx.call(
              "model",
              job,
              () -> Reply.of(passed(name)),
              (reply, failure) -> new Got(name, reply, failure));
      case "blocking" ->
          ctx.blocking(() -> passed(name), (text, failure) -> new Got(name, text, failure));
      case "steps" ->
          ctx.steps(
              () ->
                  ctx.callAndWait("tool", job, () -> Reply.of(passed(name))).text()
                      + ctx.space("desk")
                          .get(EntryKey.of("counter"))
                          .toCompletableFuture()
                          .join()
                          .map(Entry::text),
              (text, failure) -> new Got(name, text, failure));
      case "ask" ->
          ctx.ask(
              CLERK,
              Content.text(job),
              Duration.ofMinutes(1),
              (answer, failure) ->
                  new Got(name, answer == null ? null : answer.content().text(), failure));
      case "read" ->
          ctx.pipe(
              ctx.space("desk").get(EntryKey.of("counter")),
              (entry, failure) -> new Got(name, entry.orElse(null), failure));
      case "guard" ->
          ctx.pipe(
              ctx.space("desk").putIfAbsent(EntryKey.of("guarded"), Content.text("mine")),
              (done, failure) ->
                  new Got(
                      name, null, failure == null ? null : new Throwable(failure.getMessage())));
      case "timer" -> ctx.schedule("timer", Duration.ofMillis(1), () -> new Rang(name));
      default -> ctx.actor().getSelf().tell(new Own(name));
    }
  }

  private String passed(String name) {
    calls.incrementAndGet();
    return gates.computeIfAbsent(name, key -> new CompletableFuture<>()).join();
  }

  private static final List<String> KINDS =
      List.of("call", "blocking", "steps", "ask", "read", "guard", "timer", "self");

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void g10ResultsComeBetweenTheSameInputsAgain(long seed) {
    Random random = new Random(seed);
    try (AgentTestKit kit = AgentTestKit.start(type, AgentMount.of("desk", Access.READ_WRITE))) {
      kit.peer(CLERK);
      int crash = seed % 2 == 0 ? random.nextInt(STEPS) : -1;
      List<String> gated = new ArrayList<>();
      List<Message> questions = new ArrayList<>();
      int asked = 0;
      for (int step = 0; step < STEPS; step++) {
        if (step == crash) {
          open(gated);
          kit.send("crash");
          assertThat(kit.received().content().text()).isEqualTo("seen");
        }
        switch (random.nextInt(6)) {
          case 0 -> kit.put("desk", "counter", "count " + step);
          case 1 -> kit.put("desk", "raw/" + step, "");
          case 2 -> {
            if (!gated.isEmpty()) {
              open(List.of(gated.remove(random.nextInt(gated.size()))));
            }
          }
          case 3 -> {
            if (asked > questions.size() && random.nextBoolean()) {
              questions.add(kit.peer(CLERK).received());
            }
          }
          default -> {
            String kind = KINDS.get(random.nextInt(KINDS.size()));
            if (kind.equals("ask") && crash >= 0) {
              kind = "read"; // what is asked again would have to be answered again
            }
            boolean waits = Set.of("call", "blocking", "steps").contains(kind);
            if (!waits || gated.size() < GATES_MAX) {
              String job = "%02d-%s".formatted(step, kind);
              if (waits) {
                gated.add(kind + " " + job);
              }
              asked += kind.equals("ask") ? 1 : 0;
              kit.await(kit.space("desk").put(EntryKey.task("job/" + job), Content.text("")));
            }
          }
        }
      }
      while (questions.size() < asked) {
        questions.add(kit.peer(CLERK).received());
      }
      java.util.Collections.shuffle(questions, random);
      questions.forEach(
          question ->
              kit.peer(CLERK)
                  .reply(question, Content.text("answer to " + question.content().text())));
      open(gated);
      untilStill(kit);
      List<List<String>> then = copies();
      int before = calls.get();

      OperationInfo done = RerunCase.rerun(kit, Set.of());
      assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
      List<List<String>> now = copies().subList(then.size(), 2 * then.size());
      for (int life = 0; life < then.size(); life++) {
        assertThat(now.get(life))
            .as("seed %d, life %d, %s", seed, life, done)
            .isEqualTo(then.get(life));
      }
      assertThat(done.result()).as("seed %d", seed).doesNotContainKeys("diverged_at", "not_played");
      assertThat((List<?>) done.result().get("not_repeated")).isEmpty();
      assertThat(calls.get()).as("nobody is called").isEqualTo(before);
    }
  }

  private void open(List<String> names) {
    names.forEach(
        name ->
            gates
                .computeIfAbsent(name, key -> new CompletableFuture<>())
                .complete("reply to " + name));
  }

  private List<List<String>> copies() {
    return lives.stream().map(life -> List.copyOf(life)).toList();
  }

  /** All that was begun in the last life has come to its end. */
  private void untilStill(AgentTestKit kit) {
    kit.until(
        "all results",
        () -> CompletableFuture.completedFuture(List.copyOf(lives.get(lives.size() - 1))),
        log -> {
          long begun = log.stream().filter(each -> each.startsWith("job/")).count();
          long ended =
              log.stream()
                  .filter(each -> each.matches("(call|blocking|steps|ask|read|guard|rang|own).*"))
                  .count();
          long behind = log.stream().filter(each -> each.startsWith("call")).count();
          return begun == ended
              && behind == log.stream().filter(each -> each.startsWith("written")).count();
        });
    kit.send("end");
    assertThat(kit.received().content().text()).isEqualTo("seen");
  }
}
