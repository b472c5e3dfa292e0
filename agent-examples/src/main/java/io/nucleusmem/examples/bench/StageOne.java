package io.nucleusmem.examples.bench;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Target;
import io.nucleusmem.routing.embedding.EmbeddingMatcher;
import io.nucleusmem.routing.embedding.TextEmbeddings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stage one of routing with the packaged model: ranking a new text beside its embedding alone, and
 * the search, which is the ranking of a text whose embedding is known.
 */
final class StageOne {
  private static final int EXAMPLES = 10;
  private static final int CALLS = 2_000;
  private static final int CANDIDATES = 5;
  private static final int CALLERS = 2;
  private static final String[] VERBS = {
    "cancel", "change", "find", "pay", "return", "repair", "book", "explain", "compare", "renew",
    "move", "share", "check", "lose", "open", "close", "order", "sell", "paint", "clean"
  };
  private static final String[] THINGS = {
    "invoice",
    "parcel",
    "password",
    "flight",
    "dentist",
    "bicycle",
    "contract",
    "recipe",
    "garden",
    "router",
    "insurance",
    "holiday",
    "song",
    "window",
    "salary",
    "printer",
    "passport",
    "meeting",
    "battery",
    "ticket",
    "kitchen",
    "loan",
    "camera",
    "visa",
    "piano",
    "tyre",
    "doctor",
    "shoes",
    "hotel",
    "medicine",
    "taxes",
    "library",
    "coffee",
    "train",
    "phone",
    "lamp",
    "dog",
    "boat",
    "school",
    "roof",
    "lease",
    "museum",
    "fridge",
    "carpet",
    "wedding",
    "match",
    "clock",
    "drill",
    "tent",
    "book"
  };
  private static final String[] FRAMES = {
    "how do I %s my %s",
    "please %s the %s for me",
    "I want to %s a %s",
    "can you help me %s this %s",
    "what does it cost to %s the %s",
    "who can %s our %s today",
    "is it too late to %s that %s",
    "I was told to %s the %s",
    "we need to %s another %s before Monday",
    "why should I %s my old %s",
    "let us %s the %s"
  };

  private final Rounds rounds;
  private final Random random = new Random(1);
  private final AtomicInteger made = new AtomicInteger();

  StageOne(Rounds rounds) {
    this.rounds = rounds;
  }

  void run(Report into) throws Exception {
    for (int count : new int[] {10, 150, 1_000}) {
      if (rounds.wants("route/" + count)) {
        run(count, into);
      }
    }
  }

  private void run(int count, Report into) throws Exception {
    String name = "route/" + count;
    TextEmbeddings embeddings = TextEmbeddings.fromConfig(ConfigFactory.load());
    List<Route> routes = routes(count);
    embeddings.embedAll(routes.stream().flatMap(route -> route.examples().stream()).toList());
    long begun = System.nanoTime();
    EmbeddingMatcher matcher = EmbeddingMatcher.train(embeddings, routes);
    into.add(name + "/train", seconds(begun), "s", Double.NaN, count == 150 ? "< 2" : "");
    into.add(name + "/add", add(matcher, routes), "ms", Double.NaN, count == 150 ? "< 50" : "");

    double embedding = median(i -> embeddings.embed(newText()));
    double latency = median(i -> matcher.rank(newText(), CANDIDATES));
    into.add(name + "/latency", latency, "ms", embedding, "");
    String known = newText();
    embeddings.embed(known);
    double search = median(i -> matcher.rank(known, CANDIDATES));
    into.add(name + "/search", search, "ms", embedding, count == 150 ? "< 0.05" : "");
    double[] rates =
        rounds.compare(
            () -> rounds.closed(CALLERS, caller -> matcher.rank(newText(), CANDIDATES)),
            () -> rounds.closed(CALLERS, caller -> embeddings.embed(newText())));
    into.add(name + "/throughput", rates[0], "/s", rates[1], "");
  }

  private double add(EmbeddingMatcher matcher, List<Route> routes) {
    List<Double> millis = new ArrayList<>();
    for (int i = 0; i < 2 * EXAMPLES; i++) {
      Route route = routes.get(random.nextInt(routes.size()));
      EmbeddingMatcher without = matcher.without(route.name());
      long begun = System.nanoTime();
      without.with(route);
      millis.add(seconds(begun) * 1e3);
    }
    return Load.median(millis);
  }

  /** Of one call in milliseconds; the first quarter is for the compiler. */
  private double median(Load.Op op) throws Exception {
    List<Double> millis = new ArrayList<>();
    int count = rounds.quick() ? CALLS / 4 : CALLS;
    for (int i = 0; i < count; i++) {
      long begun = System.nanoTime();
      op.run(i);
      if (i >= count / 4) {
        millis.add(seconds(begun) * 1e3);
      }
    }
    return Load.median(millis);
  }

  /** Each a verb and a thing in ten frames; the eleventh frame is for the texts. */
  private List<Route> routes(int count) {
    List<Route> routes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> examples = new ArrayList<>();
      for (int j = 0; j < EXAMPLES; j++) {
        examples.add(utterance(j, i));
      }
      routes.add(new Route("route-" + i, new Target.Agent("agent-" + i), "", examples, Map.of()));
    }
    return routes;
  }

  /** One whose embedding is not known. */
  private String newText() {
    int number = made.getAndIncrement();
    return utterance(number % FRAMES.length, number * 7 % 1_000) + " " + number;
  }

  private static String utterance(int frame, int topic) {
    return FRAMES[frame].formatted(
        VERBS[topic % VERBS.length], THINGS[topic / VERBS.length % THINGS.length]);
  }

  private static double seconds(long begun) {
    return (System.nanoTime() - begun) / 1e9;
  }
}
