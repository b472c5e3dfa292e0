package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import akka.cluster.Cluster;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * G7, G8: one chain of events over spaces, topics, labels, mounts, and the making and deletion of
 * spaces; each is acknowledged before the next is sent, through any node. A cut at any instant
 * shows the chain up to some event and nothing behind it, and the same for ever, from every node;
 * also of a moment ago, while others write, and while owners move.
 */
@Timeout(480)
class CausalCutTest {
  private static final Principal ANNA = new Principal("anna", true);
  private static final int SPACES = 3;
  private static final NavigableSet<Integer> NONE = new TreeSet<>();
  private static final int EVENTS = 90;
  private static final int READERS = 2;
  private static final EntryKey KEY = EntryKey.of("event");
  private static final String MADE = "made-";
  private static final String DELETED = "deleted";

  /** Where the newest event of a kind can be seen. */
  private final Map<String, NavigableSet<Integer>> events = new ConcurrentSkipListMap<>();

  private final List<TestNode> nodes = new CopyOnWriteArrayList<>();
  private final List<String> spaces = new ArrayList<>();
  private final AtomicBoolean done = new AtomicBoolean();
  private final ConcurrentSkipListMap<Instant, View> seen = new ConcurrentSkipListMap<>();

  /** The spaces that are there after each event, of those that events make. */
  private final ConcurrentSkipListMap<Integer, Set<Integer>> madeBy = new ConcurrentSkipListMap<>();

  /**
   * What a cut shows.
   *
   * @param newest event of each kind
   * @param made spaces that are there, by the events that made them
   */
  private record View(Map<String, Integer> newest, Set<Integer> made) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void aCutNeverShowsAnEffectWithoutItsCause(long seed) {
    MemoryStore store =
        new MemoryStore(
            StoreScope.REGION,
            ForkJoinPool.commonPool(),
            System::currentTimeMillis,
            FaultPlan.NONE,
            Resends.CHECKED);
    nodes.addAll(TestNode.cluster(store, 3));
    List<TestNode> started = List.copyOf(nodes);
    try {
      for (int i = 0; i < SPACES; i++) {
        spaces.add("s" + i);
        await(at(0).create(ANNA, CreateSpace.shared("s" + i), WriteOptions.DEFAULT));
      }
      List<CompletableFuture<Void>> others = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        Random random = new Random(seed * 31 + i);
        others.add(thread(() -> read(store, random)));
      }
      others.add(thread(() -> write(new Random(seed * 37))));
      Random random = new Random(seed);
      for (int event = 1; event <= EVENTS; event++) {
        happen(event, random);
        if (event == EVENTS / 3) {
          leave(2, 1);
        } else if (event == 2 * EVENTS / 3) {
          leave(1, 0);
        }
      }
      done.set(true);
      others.forEach(CompletableFuture::join);
      assertThat(seen.size()).isGreaterThan(READERS);
      assertThat(seen.lastEntry().getValue().newest())
          .as("the last cut shows something")
          .isNotEmpty();
      seen.forEach(
          (at, was) -> assertThat(cut(at(0), at)).as("seed %d, %s again", seed, at).isEqualTo(was));
      assertThat(
              SpaceFixture.refusal(
                  at(0)
                      .cuts()
                      .mounts(
                          ANNA,
                          Timestamps.instant(await(store.now())).plusSeconds(60),
                          10,
                          Optional.empty())))
          .isEqualTo(ErrorCode.AS_OF_IN_FUTURE);
    } finally {
      done.set(true);
      started.forEach(TestNode::close);
    }
  }

  /** What a node owned is owned by others from then on; who called it calls another. */
  private void leave(int node, int instead) {
    Cluster leaving = Cluster.get(nodes.get(node).system());
    for (int i = node; i < nodes.size(); i++) {
      nodes.set(i, nodes.get(instead));
    }
    leaving.leave(leaving.selfAddress());
  }

  private static CompletableFuture<Void> thread(Runnable run) {
    return CompletableFuture.runAsync(run, task -> new Thread(task).start());
  }

  private MemSpaces at(int node) {
    return nodes.get(node).spaces();
  }

  private MemSpaces any(Random random) {
    return at(random.nextInt(3));
  }

  private MountedSpace open(MemSpaces spaces, String space) {
    return again(() -> spaces.openOnly(ANNA, space));
  }

  /** What a caller does until it works. */
  private static <T> T again(Supplier<CompletionStage<T>> call) {
    while (true) {
      try {
        return await(call.get());
      } catch (MemSpaceException refused) {
        if (!refused.code().retryable()) {
          throw refused;
        }
      }
    }
  }

  // ---- what happens ----

  private void happen(int event, Random random) {
    String space = spaces.get(random.nextInt(SPACES));
    MemSpaces node = any(random);
    Content content = Content.text(Integer.toString(event));
    WriteOptions once = WriteOptions.id("event-%010d-%d".formatted(event, random.nextLong()));
    switch (random.nextInt(6)) {
      case 0 -> {
        MountedSpace mounted = open(node, space);
        begins("entry of " + space, event);
        again(() -> mounted.write(List.of(new Operation.Put(KEY, content)), once));
      }
      case 1 -> {
        MountedTopic topic = open(node, space).topic("t");
        begins("topic of " + space, event);
        again(() -> topic.publish(content, Optional.empty(), once));
      }
      case 2 -> {
        begins("labels of " + space, event);
        Map<String, String> labels = Map.of("event", Integer.toString(event));
        again(
            () ->
                node.update(
                    ANNA,
                    space,
                    new UpdateSpace(Optional.of(labels), Optional.empty(), Optional.empty())));
      }
      case 3 -> make(event, node, once);
      case 4 -> {
        begins("mounts", event);
        again(() -> node.mount(ANNA, space, MountRequest.of("agent/" + event, Access.READ_ONLY)));
      }
      default -> delete(event, node, random);
    }
  }

  private void begins(String where, int event) {
    events.computeIfAbsent(where, same -> new ConcurrentSkipListSet<>()).add(event);
    madeBy.put(event, madeBy.isEmpty() ? Set.of() : madeBy.lastEntry().getValue());
  }

  private void make(int event, MemSpaces node, WriteOptions once) {
    begins(MADE, event);
    Set<Integer> made = new TreeSet<>(madeBy.get(event));
    made.add(event);
    madeBy.put(event, made);
    again(() -> node.create(ANNA, CreateSpace.shared(MADE + event), once));
  }

  /** Deletes one of the spaces that were made, if there is one. */
  private void delete(int event, MemSpaces node, Random random) {
    List<Integer> left =
        new ArrayList<>(madeBy.isEmpty() ? Set.of() : madeBy.lastEntry().getValue());
    begins(DELETED, event);
    if (left.isEmpty()) {
      return;
    }
    int victim = left.remove(random.nextInt(left.size()));
    madeBy.put(event, new TreeSet<>(left));
    try {
      again(() -> node.delete(ANNA, MADE + victim));
    } catch (MemSpaceException gone) { // by a try before, whose answer did not come
      assertThat(gone.code()).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    }
  }

  private void write(Random random) {
    while (!done.get()) {
      MountedSpace mounted = open(any(random), spaces.get(random.nextInt(SPACES)));
      again(() -> mounted.put(EntryKey.of("noise/" + random.nextInt(20)), Content.text("x")));
    }
  }

  // ---- what is seen ----

  private void read(MemoryStore store, Random random) {
    while (!done.get()) {
      Instant at = Timestamps.instant(await(store.now()));
      View was = cut(any(random), at);
      check(at, was);
      assertThat(cut(any(random), at)).as("%s from another node", at).isEqualTo(was);
      seen.put(at, was);
    }
  }

  /** The newest event of each kind. */
  private View cut(MemSpaces node, Instant at) {
    Map<String, Integer> newest = new TreeMap<>();
    for (String space : spaces) {
      MountedSpace mounted = open(node, space);
      again(() -> mounted.get(KEY, ReadAt.instant(at)))
          .ifPresent(entry -> newest.put("entry of " + space, Integer.parseInt(entry.text())));
      MessageRange last =
          new MessageRange(
              Optional.empty(),
              Optional.of(new MessageRange.Bound.Time(at)),
              Direction.DESCENDING,
              true,
              1,
              Optional.empty());
      messages(mounted, last)
          .forEach(
              message ->
                  newest.put("topic of " + space, Integer.parseInt(message.content().text())));
    }
    Set<Integer> made = new TreeSet<>();
    for (SpaceAt each : all(cursor -> node.cuts().spaces(ANNA, at, 50, cursor))) {
      SpaceInfo info = each.info().orElseThrow();
      if (each.name().startsWith(MADE)) {
        made.add(Integer.parseInt(each.name().substring(MADE.length())));
      } else if (info.labels().containsKey("event")) {
        newest.put("labels of " + each.name(), Integer.parseInt(info.labels().get("event")));
      }
    }
    for (MountAt each : all(cursor -> node.cuts().mounts(ANNA, at, 50, cursor))) {
      String holder = each.mount().orElseThrow().holder();
      if (holder.startsWith("agent/")) {
        newest.merge("mounts", Integer.parseInt(holder.substring(6)), Math::max);
      }
    }
    return new View(newest, made);
  }

  private static List<Message> messages(MountedSpace mounted, MessageRange range) {
    try {
      return again(() -> mounted.topic("t").fetch(range)).items();
    } catch (MemSpaceException refused) {
      assertThat(refused.code()).isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
      return List.of();
    }
  }

  private interface Pages<T> {
    CompletionStage<Paged<T>> page(Optional<String> cursor);
  }

  private static <T> List<T> all(Pages<T> pages) {
    List<T> all = new ArrayList<>();
    Optional<String> next = Optional.empty();
    do {
      Optional<String> cursor = next;
      Paged<T> page = again(() -> pages.page(cursor));
      all.addAll(page.items());
      next = page.next();
    } while (next.isPresent());
    return all;
  }

  /** Of each kind the newest event that is no later than the newest of all must be shown. */
  private void check(Instant at, View was) {
    int newest =
        Stream.concat(was.newest().values().stream(), was.made().stream())
            .mapToInt(Integer::intValue)
            .max()
            .orElse(0);
    events.forEach(
        (where, which) -> {
          Integer expected = which.floor(newest);
          if (expected != null && !where.equals(MADE) && !where.equals(DELETED)) {
            assertThat(was.newest())
                .as("%s shows event %d", at, newest)
                .containsEntry(where, expected);
          }
        });
    int last = newest; // or a later one, if all between were deletions, or of what was deleted
    while (!was.made().equals(made(last)) && isUnseen(last + 1)) {
      last++;
    }
    assertThat(was.made()).as("%s shows event %d", at, newest).isEqualTo(made(last));
  }

  private boolean isUnseen(int event) {
    return events.getOrDefault(DELETED, NONE).contains(event)
        || events.getOrDefault(MADE, NONE).contains(event);
  }

  private Set<Integer> made(int event) {
    Map.Entry<Integer, Set<Integer>> by = madeBy.floorEntry(event);
    return by == null ? Set.of() : by.getValue();
  }
}
