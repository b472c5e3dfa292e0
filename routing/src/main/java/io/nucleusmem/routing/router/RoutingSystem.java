package io.nucleusmem.routing.router;

import akka.Done;
import akka.actor.Cancellable;
import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.Props;
import com.typesafe.config.Config;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.routing.MatcherTrainer;
import io.nucleusmem.routing.Recipients;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.llm.LlmSettings;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Starts the router of a node. */
public final class RoutingSystem {
  private static final String DISPATCHER = RoutingSettings.PATH + ".dispatcher";

  private RoutingSystem() {}

  /**
   * Checks the configuration.
   *
   * @throws IllegalArgumentException names the key that is not as it must be
   */
  public static void check(Config config) {
    RoutingSettings settings = RoutingSettings.from(config);
    LlmSettings llm = LlmSettings.from(config);
    if (llm.server().provider() != LlmSettings.Provider.NONE
        && settings.decisionTimeout().compareTo(llm.timeout()) <= 0) {
      throw new IllegalArgumentException(
          "%s.decision-timeout is [%s]; it must be longer than %s.llm.timeout, which is [%s]: else no vote of the model is waited for"
              .formatted(
                  RoutingSettings.PATH,
                  settings.decisionTimeout(),
                  RoutingSettings.PATH,
                  llm.timeout()));
    }
  }

  /**
   * Starts it: opens its spaces, then reads routes and loads models in the background; the first
   * message waits for that.
   *
   * @param trainer makes stage one's matchers
   * @param chooser stage two
   */
  public static CompletionStage<Routing> start(
      ActorSystem<?> system,
      MemSpaces spaces,
      Recipients recipients,
      MatcherTrainer trainer,
      RouteChooser chooser) {
    return start(system, spaces, recipients, trainer, chooser, InstantSource.system());
  }

  /** Tells stage two of the routes where they have changed; called by one thread at a time. */
  private static final class Told implements Consumer<LiveRoutes> {
    private final RouteChooser chooser;
    private final MatcherTrainer trainer;
    private List<Route> told = List.of();

    Told(RouteChooser chooser, MatcherTrainer trainer) {
      this.chooser = chooser;
      this.trainer = trainer;
    }

    @Override
    public void accept(LiveRoutes view) {
      if (view.isTrained() && !view.plain().equals(told)) {
        told = view.plain();
        chooser.routesChanged(told, trainer::train);
      }
    }
  }

  static CompletionStage<Routing> start(
      ActorSystem<?> system,
      MemSpaces spaces,
      Recipients recipients,
      MatcherTrainer trainer,
      RouteChooser chooser,
      InstantSource clock) {
    RoutingSettings settings = RoutingSettings.from(system.settings().config());
    Executor blocking = system.dispatchers().lookup(DispatcherSelector.fromConfig(DISPATCHER));
    OwnSpace routesSpace = new OwnSpace(spaces, settings.routesSpace());
    OwnSpace decisionsSpace = new OwnSpace(spaces, settings.decisionsSpace());
    LiveView live = new LiveView();
    live.listen(new Told(chooser, trainer));
    ActorRef<RouterActor.Message> router =
        system.systemActorOf(
            RouterActor.create(settings, blocking), "nucleusmem-router", Props.empty());
    Routers routers = new Routers();
    Decider decider = new Decider(router, chooser, routers, settings);
    DecisionLog log = new DecisionLog(decisionsSpace);
    DecisionPages pages = new DecisionPages(decisionsSpace, log);
    Conversations conversations =
        new Conversations(decisionsSpace, settings.conversationTtl(), clock);
    Deliveries deliveries = new Deliveries(spaces, recipients, settings);
    TopicHooks hooks = new TopicHooks(spaces, routesSpace, deliveries, live, settings);
    MemoryLimits limits = MemoryLimits.from(system.settings().config());
    RoutingParts parts =
        new RoutingParts(
            settings,
            limits,
            clock,
            recipients,
            new RouteRegistry(spaces, routesSpace, recipients, settings, live),
            live,
            new PastRoutes(routesSpace, trainer, blocking, live),
            conversations,
            decider,
            routers,
            new Instances(recipients, settings.instancesTtl()),
            deliveries,
            log,
            pages,
            new Courier(deliveries, log, conversations, limits.metadataBytesMax()),
            new Replays(pages, live, decider, settings.decisionTimeout()),
            hooks);
    RoutingService service = new RoutingService(parts, new TimeIds(new SecureRandom()));
    return routesSpace
        .open()
        .thenCombine(
            decisionsSpace.open(),
            (routes, decisions) -> {
              if (settings.enabled()) {
                hooks.start(service);
              }
              ActorRef<RouteFeed.Message> feed =
                  system.systemActorOf(
                      RouteFeed.create(routesSpace, trainer, blocking, live),
                      "nucleusmem-routes",
                      Props.empty());
              Cancellable sweeps =
                  system
                      .scheduler()
                      .scheduleWithFixedDelay(
                          settings.conversationSweepInterval(),
                          settings.conversationSweepInterval(),
                          conversations::sweep,
                          system.executionContext());
              CoordinatedShutdown.get(system)
                  .addTask(
                      CoordinatedShutdown.PhaseServiceUnbind(),
                      "nucleusmem-router",
                      () -> {
                        hooks.stop();
                        feed.tell(new RouteFeed.Stop());
                        sweeps.cancel();
                        return CompletableFuture.completedFuture(Done.getInstance());
                      });
              return service;
            });
  }
}
