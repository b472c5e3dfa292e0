package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.RouteMatcher;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
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
  private static final int FAILURES_TOLD = 5; // in a row, to who waits for the end
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
  private Trials sample = Trials.NONE;
  private int next; // of its trials; those before it have been asked
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

  /**
   * Starts over with these routes; the stage completes when all trials are through, and fails when
   * the model does so several times in a row; then it is tried further all the same.
   */
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
    Optional<Trials> made;
    try {
      made = Trials.of(routes, trainer, settings, () -> isCurrent(mine));
    } catch (RuntimeException | LinkageError e) { // a model's native library may be missing
      LOG.warn("the model's trust is not measured: stage one can't be trained", e);
      synchronized (this) {
        done.completeExceptionally(e);
      }
      return;
    }
    synchronized (this) {
      if (mine != generation || made.isEmpty()) {
        return;
      }
      sample = made.get();
      next = 0;
      failures = 0;
      Map<Trial.Key, Outcome> old = outcomes;
      outcomes = new HashMap<>();
      for (Trial trial : sample.trials()) {
        Outcome known = answers.getOrDefault(trial.question().hash(), old.get(trial.key()));
        if (known != null) {
          outcomes.put(trial.key(), known);
        }
      }
      publish();
    }
    proceed(mine);
  }

  private void proceed(long mine) {
    Trial trial;
    synchronized (this) {
      if (mine != generation) {
        return;
      }
      while (next < sample.trials().size()
          && answers.containsKey(sample.trials().get(next).question().hash())) {
        Trial known = sample.trials().get(next);
        outcomes.put(known.key(), answers.get(known.question().hash()));
        next++;
      }
      if (next == sample.trials().size()) {
        publish();
        LOG.info("model [{}]: {}", settings.server().model(), evidence);
        done.complete(evidence);
        return;
      }
      trial = sample.trials().get(next);
    }
    runs.ask(trial.question(), settings.trust().reserve())
        .whenComplete((vote, failure) -> answered(mine, trial, vote, failure));
  }

  private synchronized void answered(long mine, Trial trial, Vote vote, Throwable failure) {
    ChooserException told = failure == null ? null : Failures.of(failure, settings.server());
    Why why = told == null ? null : told.why();
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
        boolean hopeless = failures >= FAILURES_TOLD || why == Why.UNAUTHORIZED;
        if (hopeless && done.completeExceptionally(told)) { // once, until it starts over
          LOG.warn("the model's trust is not measured yet: {}", told.getMessage());
        }
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
    for (Trial trial : sample.trials()) {
      Outcome outcome = outcomes.get(trial.key());
      if (outcome != null) {
        sum.add(trial, outcome);
      }
    }
    evidence = sum.of(sample.trials().size(), sample.rare(), sample.often());
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
