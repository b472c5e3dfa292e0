package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * G10 over random histories: replay gives what was delivered, and nothing that was confirmed else.
 */
@Timeout(180)
class ReplayPropertyTest {
  private static final Principal AUTHOR = Principal.of("author");

  sealed interface Msg {}

  record Told(AgentContext.Seen<Message> message) implements Msg {}

  record Said(AgentContext.Seen<Message> message) implements Msg {}

  record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  record Got(Optional<Entry> entry, Throwable failure) implements Msg {}

  record Found(Paged<Entry> page, Throwable failure) implements Msg {}

  /** What the behavior saw with its own eyes: how, key, revision, text. */
  private final Queue<String> delivered = new ConcurrentLinkedQueue<>();

  /** How much of that was before something left: G10 holds for that, whatever ends the node. */
  private final AtomicInteger certain = new AtomicInteger();

  /** What was read, and came to nothing before the node ended. */
  private final List<String> perhaps = new ArrayList<>();

  private final AgentType<Msg> type = AgentType.of("eye", Msg.class, this::create).inbox(Told::new);

  private Behavior<Msg> create(AgentContext<Msg> ctx) {
    ctx.watch("facts", "facts", WatchRequest.of(Region.MEMORY, "").from(1), Changed::new);
    ctx.subscribe("talk", "facts", "talk", Said::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              Signal signal = changed.signal().what();
              delivered.add("SIGNAL " + signal.key().name() + " " + signal.revision());
              if (signal.revision() % 2 == 0) {
                ctx.pipe(ctx.space("facts").pull(signal.key(), signal.revision()), Got::new);
              } else {
                ctx.pipe(ctx.space("facts").scan(ScanRequest.of(Region.MEMORY, "")), Found::new);
              }
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              saw("READ", got.entry().orElseThrow());
              return Behaviors.same();
            })
        .onMessage(
            Found.class,
            found -> {
              found.page().items().forEach(entry -> saw("SCAN", entry));
              return Behaviors.same();
            })
        .onMessage(Said.class, said -> heard(said.message().what()))
        .onMessage(
            Told.class,
            told -> {
              heard(told.message().what());
              int before = delivered.size();
              ctx.reply(told.message().what(), Content.text("done"))
                  .thenRun(() -> certain.accumulateAndGet(before, Math::max));
              return Behaviors.same();
            })
        .build();
  }

  private Behavior<Msg> heard(Message message) {
    delivered.add(
        "MESSAGE "
            + message.topic()
            + " "
            + message.revision()
            + " "
            + message.content().value().hashCode());
    return Behaviors.same();
  }

  private void saw(String how, Entry entry) {
    delivered.add(
        how
            + " "
            + entry.key().name()
            + " "
            + entry.revision()
            + (entry.deleted() ? "" : " " + entry.content().value().hashCode()));
  }

  private static String text(Replayed replayed) {
    SeenVersion version = replayed.receipt().version();
    String text = replayed.receipt().how() + " " + version.key() + " " + version.revision();
    return replayed.receipt().how() == How.SIGNAL || replayed.content().isEmpty()
        ? text
        : text + " " + replayed.content().get().value().hashCode();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void g10ReplayIsWhatWasDeliveredAlsoThroughCrashes(long seed) {
    Random random = new Random(seed);
    try (AgentTestKit kit = AgentTestKit.start(type, AgentMount.of("facts", Access.READ_WRITE))) {
      int powerFailure = random.nextInt(20, 50);
      int crashes = 1;
      for (int step = 0; step < 60; step++) {
        if (step == powerFailure) {
          crashNode(kit);
        }
        String key = "k" + random.nextInt(6);
        switch (random.nextInt(8)) {
          case 0 -> kit.publish("facts", "talk", "said " + step);
          case 1 -> {
            kit.send("told " + step);
            kit.received();
          }
          case 2 ->
              kit.space("facts")
                  .delete(EntryKey.of(key))
                  .exceptionally(absent -> null)
                  .toCompletableFuture()
                  .join();
          case 3 -> {
            if (random.nextInt(4) == 0) {
              kit.crash();
              crashes++;
            }
          }
          default -> kit.put("facts", key, "value " + step);
        }
      }
      kit.send("last");
      kit.received();
      long newest = kit.put("facts", "end", "end").revision();
      kit.until(
          "the last signal",
          () -> java.util.concurrent.CompletableFuture.completedFuture(delivered),
          all -> all.contains("SIGNAL end " + newest));
      kit.send("flush"); // behind it all that the behavior has asked for before is handled
      kit.received();
      Receipts receipts = ReceiptsClient.of(kit.system());
      Map<String, Long> seen = counts(List.copyOf(delivered));
      Map<String, Long> lost = counts(perhaps);
      List<Replayed> replay =
          kit.until(
              "seed %d: every delivery in the replay".formatted(seed),
              () -> all(receipts, Optional.empty(), new ArrayList<>()),
              all -> {
                Map<String, Long> found =
                    counts(all.stream().map(ReplayPropertyTest::text).toList());
                return counts(List.copyOf(delivered)).entrySet().stream()
                    .allMatch(
                        each ->
                            found.getOrDefault(each.getKey(), 0L)
                                >= each.getValue() - lost.getOrDefault(each.getKey(), 0L));
              });
      Map<String, Long> confirmed =
          counts(
              replay.stream()
                  .filter(each -> each.receipt().confirmed())
                  .map(ReplayPropertyTest::text)
                  .toList());
      Map<String, Long> now = counts(List.copyOf(delivered));
      // what an effect has confirmed may still lie in the mailbox of an agent that crashes
      long most = crashes;
      confirmed.forEach(
          (what, times) ->
              assertThat(now.getOrDefault(what, 0L))
                  .as("seed %d: confirmed and not delivered: %s", seed, what)
                  .isGreaterThanOrEqualTo(times - most));
      assertThat(seen).isNotEmpty();
      // in one life the inputs of a watch stand in the order in which they came
      Map<String, Long> last = new HashMap<>();
      for (Replayed each : replay) {
        if (each.receipt().how() == How.SIGNAL) {
          Long before = last.put(each.receipt().life(), each.receipt().version().revision());
          assertThat(before == null || before <= each.receipt().version().revision()).isTrue();
        }
      }
    }
  }

  private void crashNode(AgentTestKit kit) {
    kit.crashNode();
    // the new life may have seen more already: that is certain, or found again below
    List<String> all = List.copyOf(delivered);
    perhaps.addAll(all.subList(Math.min(certain.get(), all.size()), all.size()));
    certain.set(all.size());
  }

  private static Map<String, Long> counts(List<String> all) {
    return all.stream().collect(Collectors.groupingBy(each -> each, Collectors.counting()));
  }

  private static java.util.concurrent.CompletionStage<List<Replayed>> all(
      Receipts receipts, Optional<String> cursor, List<Replayed> found) {
    return receipts
        .replay(AUTHOR, "eye", Instant.EPOCH, Instant.parse("2100-01-01T00:00:00Z"), 100, cursor)
        .thenCompose(
            page -> {
              found.addAll(page.items());
              return page.next().isPresent()
                  ? all(receipts, page.next(), found)
                  : java.util.concurrent.CompletableFuture.completedFuture(found);
            });
  }
}
