package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.RouteChooser.Option;
import io.nucleusmem.routing.RouteMatcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures in the background how a model does beside stage one, on the routes' own examples: one
 * question at a time, and only while enough of the budget remains for messages.
 *
 * <p>When routes change it starts over, but a question that was answered is not asked again; until
 * a trial's new question is answered, the outcome of its old one stands.
 */
final class Measurement {
  private static final Logger LOG = LoggerFactory.getLogger(Measurement.class);

  private static final int ANSWERS_MAX = 10_000; // remembered, of questions by hash
  private static final Duration PAUSE = Duration.ofSeconds(1); // where the budget is spent
  private static final Duration PAUSE_MAX = Duration.ofMinutes(10); // doubles up to it on failures

  /** Runs something later; fails with IllegalStateException when the system has ended. */
  interface Timer {
    void after(Duration delay, Runnable task);
  }

  private final ModelRuns runs;
  private final LlmSettings settings;
  private final Executor blocking;
  private final Timer timer;

  // all below is guarded by this, except that evidence is read without
  private final Map<String, Outcome> answers =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Outcome> eldest) {
          return size() > ANSWERS_MAX;
        }
      };
  private Map<Trial.Key, Outcome> outcomes = new HashMap<>();
  private List<Trial> trials = List.of();
  private int next; // of trials; those before it have been asked
  private int failures; // in a row
  private long generation;
  private CompletableFuture<Evidence> done = new CompletableFuture<>();
  private volatile Evidence evidence = Evidence.NONE;

  Measurement(ModelRuns runs, LlmSettings settings, Executor blocking, Timer timer) {
    this.runs = runs;
    this.settings = settings;
    this.blocking = blocking;
    this.timer = timer;
  }

  Evidence evidence() {
    return evidence;
  }

  /** Starts over with these routes; the stage completes when all trials are through. */
  synchronized CompletionStage<Evidence> start(
      List<Route> routes, Function<List<Route>, RouteMatcher> trainer, Duration quiet) {
    generation++;
    if (done.isDone()) {
      done = new CompletableFuture<>();
    }
    long mine = generation;
    List<Route> copy = List.copyOf(routes);
    later(quiet, () -> prepare(mine, copy, trainer));
    return done;
  }

  synchronized void stop() {
    generation++;
    done.complete(evidence);
  }

  private void prepare(long mine, List<Route> routes, Function<List<Route>, RouteMatcher> trainer) {
    List<Trial> made = new ArrayList<>();
    try {
      for (Folds.Fold fold : Folds.of(routes)) {
        if (!isCurrent(mine)) {
          return;
        }
        made.addAll(trials(fold, trainer.apply(fold.routes())));
        if (made.size() >= settings.trust().trialsMax()) {
          break;
        }
      }
    } catch (RuntimeException | LinkageError e) { // a model's native library may be missing
      LOG.warn("the model's trust is not measured: stage one can't be trained", e);
      synchronized (this) {
        done.completeExceptionally(e);
      }
      return;
    }
    List<Trial> first =
        made.subList(0, Math.min(made.size(), settings.trust().trialsMax())).stream().toList();
    synchronized (this) {
      if (mine != generation) {
        return;
      }
      trials = first;
      next = 0;
      failures = 0;
      Map<Trial.Key, Outcome> old = outcomes;
      outcomes = new HashMap<>();
      for (Trial trial : trials) {
        Outcome known = answers.getOrDefault(trial.question().hash(), old.get(trial.key()));
        if (known != null) {
          outcomes.put(trial.key(), known);
        }
      }
      publish();
    }
    proceed(mine);
  }

  /** Those of a fold in which stage one is not sure; in an order that has nothing to do with it. */
  private List<Trial> trials(Folds.Fold fold, RouteMatcher matcher) {
    Map<String, Route> routes =
        fold.routes().stream().collect(Collectors.toMap(Route::name, route -> route));
    List<Trial> trials = new ArrayList<>();
    for (Folds.LeftOut example : fold.leftOut()) {
      if (example.text().isBlank()) {
        continue;
      }
      Ranking ranking = matcher.rank(example.text(), settings.prompt().candidatesMax());
      List<Option> options =
          ranking.candidates().stream()
              .filter(candidate -> routes.containsKey(candidate.route()))
              .map(candidate -> new Option(routes.get(candidate.route()), candidate.score()))
              .toList();
      if (ranking.verdict() != Ranking.Verdict.CLEAR && !options.isEmpty()) {
        trials.add(
            new Trial(
                example.text(),
                example.truth(),
                ranking,
                Question.of(example.text(), options, settings.prompt())));
      }
    }
    trials.sort(
        Comparator.comparing((Trial trial) -> trial.text().hashCode() * 0x9E3779B9)
            .thenComparing(Trial::text));
    return trials;
  }

  private void proceed(long mine) {
    Trial trial;
    synchronized (this) {
      if (mine != generation) {
        return;
      }
      while (next < trials.size() && answers.containsKey(trials.get(next).question().hash())) {
        Trial known = trials.get(next);
        outcomes.put(known.key(), answers.get(known.question().hash()));
        next++;
      }
      if (next == trials.size()) {
        publish();
        LOG.info("model [{}]: {}", settings.server().model(), evidence);
        done.complete(evidence);
        return;
      }
      trial = trials.get(next);
    }
    runs.ask(trial.question(), settings.trust().reserve())
        .whenComplete((vote, failure) -> answered(mine, trial, vote, failure));
  }

  private synchronized void answered(long mine, Trial trial, Vote vote, Throwable failure) {
    Why why = failure == null ? null : Failures.of(failure, settings.server()).why();
    if (failure == null) {
      answers.put(trial.question().hash(), Outcome.of(vote));
    } else if (why == Why.MALFORMED) {
      answers.put(trial.question().hash(), Outcome.UNUSABLE);
    }
    if (mine != generation) {
      return;
    }
    if (failure == null) {
      record(trial, Outcome.of(vote));
      later(Duration.ZERO, () -> proceed(mine));
      return;
    }
    switch (why) {
      case MALFORMED, TIMED_OUT -> { // stage one would have decided
        record(trial, Outcome.UNUSABLE);
        later(Duration.ZERO, () -> proceed(mine));
      }
      case BUSY, OVER_BUDGET -> later(PAUSE, () -> proceed(mine));
      default -> {
        long pause = PAUSE.toMillis() << Math.min(failures++, 20);
        later(Duration.ofMillis(Math.min(pause, PAUSE_MAX.toMillis())), () -> proceed(mine));
      }
    }
  }

  private void record(Trial trial, Outcome outcome) {
    failures = 0;
    next++;
    outcomes.put(trial.key(), outcome);
    publish();
  }

  private void publish() {
    var sum = new Evidence.Sum();
    for (Trial trial : trials) {
      Outcome outcome = outcomes.get(trial.key());
      if (outcome != null) {
        sum.add(trial, outcome);
      }
    }
    evidence = sum.of(trials.size());
  }

  private synchronized boolean isCurrent(long mine) {
    return mine == generation;
  }

  private void later(Duration delay, Runnable task) {
    try {
      if (delay.isZero()) {
        blocking.execute(task);
      } else {
        timer.after(delay, () -> blocking.execute(task));
      }
    } catch (IllegalStateException | RejectedExecutionException e) {
      LOG.debug("measuring ends with the node", e);
      stop();
    }
  }
}
