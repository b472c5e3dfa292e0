package io.nucleusmem.routing.router;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.routing.MatcherTrainer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Keeps a node's view of the routes up to date: watches their space, reads it when it has changed,
 * trains the matcher away from the actor's thread, and hands the result on.
 *
 * <p>Changes that come while one is being worked in are worked in together behind it, so a thousand
 * routes registered in a row are no thousand trainings.
 */
final class RouteFeed extends AbstractBehavior<RouteFeed.Message> {
  private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);
  private static final Duration RETRAIN_PAUSE = Duration.ofSeconds(30);
  private static final int PAGE = 1_000;

  /** What the feed is told. */
  sealed interface Message {}

  /** The space has changed, or may have. */
  record Changed() implements Message {}

  record Watching(Watch watch, Throwable failure) implements Message {}

  record Prepared(LiveRoutes live, boolean trained, Throwable failure) implements Message {}

  record Begin() implements Message {}

  /** The node stops: nothing is asked of spaces any more. */
  record Stop() implements Message {}

  private final ActorRef<Message> self;
  private final OwnSpace space;
  private final MatcherTrainer trainer;
  private final Executor trainings;
  private final Consumer<LiveRoutes> listener;
  private final TimerScheduler<Message> timers;
  private LiveRoutes live = LiveRoutes.NONE;
  private boolean trained; // whether the matcher of live is one of the trainer's
  private Watch watch; // null until there is one
  private boolean preparing;
  private boolean changed;

  private RouteFeed(
      ActorContext<Message> context,
      TimerScheduler<Message> timers,
      OwnSpace space,
      MatcherTrainer trainer,
      Executor trainings,
      Consumer<LiveRoutes> listener) {
    super(context);
    this.self = context.getSelf();
    this.timers = timers;
    this.space = space;
    this.trainer = trainer;
    this.trainings = trainings;
    this.listener = listener;
    self.tell(new Begin());
  }

  /**
   * The feed.
   *
   * @param listener of each new view, in order
   */
  static Behavior<Message> create(
      OwnSpace space, MatcherTrainer trainer, Executor trainings, Consumer<LiveRoutes> listener) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new RouteFeed(context, timers, space, trainer, trainings, listener)));
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::onBegin)
        .onMessage(Watching.class, this::onWatching)
        .onMessage(Changed.class, this::onChanged)
        .onMessage(Prepared.class, this::onPrepared)
        .onMessage(Stop.class, this::onStop)
        .build();
  }

  private Behavior<Message> onBegin(Begin begin) {
    WatchRequest all =
        new WatchRequest(Optional.of(Region.MEMORY), "", OptionalLong.empty(), false);
    getContext()
        .pipeToSelf(
            Failures.attempt(() -> space.call(mounted -> mounted.watch(all, this::onWatchEvent))),
            Watching::new);
    return this;
  }

  /** On a thread of the watch. */
  private CompletionStage<?> onWatchEvent(WatchEvent event) {
    if (event instanceof WatchEvent.Signals) {
      self.tell(new Changed());
    } else if (!(event instanceof WatchEvent.Progress)) {
      self.tell(new Watching(null, new IllegalStateException(event.toString())));
    }
    return CompletableFuture.completedStage(null);
  }

  private Behavior<Message> onWatching(Watching watching) {
    if (watching.failure() != null) {
      closeWatch(); // it has ended, or another one takes its place
      getContext()
          .getLog()
          .debug("the routes are not watched, trying again: {}", watching.failure().toString());
      timers.startSingleTimer("watch", new Begin(), RETRY_PAUSE);
      return this;
    }
    closeWatch();
    watch = watching.watch();
    return onChanged(new Changed());
  }

  private Behavior<Message> onStop(Stop stop) {
    closeWatch();
    return Behaviors.stopped();
  }

  private void closeWatch() {
    if (watch != null) {
      watch.close();
      watch = null;
    }
  }

  private Behavior<Message> onChanged(Changed message) {
    if (preparing) {
      changed = true;
      return this;
    }
    preparing = true;
    changed = false;
    LiveRoutes before = live;
    boolean reusable = trained;
    getContext()
        .pipeToSelf(
            Failures.attempt(() -> space.call(RouteFeed::read))
                .thenApplyAsync(next -> prepare(before, reusable, next), trainings),
            (prepared, failure) ->
                failure == null ? prepared : new Prepared(null, false, Failures.unwrap(failure)));
    return this;
  }

  private static CompletionStage<LiveRoutes> read(MountedSpace mounted) {
    return read(mounted, ReadAt.LATEST);
  }

  /** The routes at some state, without a matcher. */
  static CompletionStage<LiveRoutes> read(MountedSpace mounted, ReadAt at) {
    return read(mounted, ScanRequest.of(Region.MEMORY, "").at(at).limit(PAGE), new ArrayList<>());
  }

  private static CompletionStage<LiveRoutes> read(
      MountedSpace mounted, ScanRequest request, List<Entry> found) {
    return mounted
        .scan(request)
        .thenCompose(
            page -> {
              found.addAll(page.items());
              return page.next().isPresent()
                  ? read(mounted, request.after(page.next().get()), found)
                  : CompletableFuture.completedStage(LiveRoutes.of(page.revision(), found));
            });
  }

  private Prepared prepare(LiveRoutes before, boolean reusable, LiveRoutes next) {
    if (reusable && next.plain().equals(before.plain())) {
      return new Prepared(next.with(before.matcher()), true, null);
    }
    try {
      return new Prepared(
          next.with(
              reusable
                  ? trainer.retrain(before.matcher(), before.plain(), next.plain())
                  : trainer.train(next.plain())),
          true,
          null);
    } catch (RuntimeException | LinkageError e) {
      return new Prepared(
          next.with(new NoMatcher("stage one cannot be used: " + Failures.reason(e))), false, e);
    }
  }

  private Behavior<Message> onPrepared(Prepared prepared) {
    preparing = false;
    if (prepared.live() == null) {
      getContext()
          .getLog()
          .warn("the routes cannot be read, trying again: {}", prepared.failure().toString());
      timers.startSingleTimer("read", new Changed(), RETRY_PAUSE);
      return this;
    }
    if (prepared.failure() != null) {
      getContext()
          .getLog()
          .warn(
              "no matcher for [{}] routes, trying again in [{}]: {}",
              prepared.live().routes().size(),
              RETRAIN_PAUSE,
              Failures.reason(prepared.failure()));
      timers.startSingleTimer("train", new Changed(), RETRAIN_PAUSE);
    }
    live = prepared.live();
    trained = prepared.trained();
    listener.accept(live);
    return changed ? onChanged(new Changed()) : this;
  }
}
