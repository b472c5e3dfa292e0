package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.LedgerId;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/** The watches of one node: one channel per watched ledger, whatever the number of watchers. */
final class WatchHub {
  private final MemSpaceNode node;
  private final VersionCache cache;
  private volatile ActorRef<Message> hub;
  private volatile Feeding feeding = Feeding.NONE;

  private sealed interface Message {}

  private record Start(WatchSource source, WatchChannel.Open open) implements Message {}

  private record Idle(LedgerId id, int generation) implements Message {}

  private record Forget() implements Message {}

  private record AttachAgain() implements Message {}

  WatchHub(MemSpaceNode node, VersionCache cache) {
    this.node = node;
    this.cache = cache;
  }

  /** Starts the actor under which the channels live; once per node, before anybody calls. */
  void start(ActorSystem<?> system) {
    hub =
        system.systemActorOf(
            Behaviors.<Message>setup(context -> running(context, new HashMap<>(), new int[1])),
            "nucleusmem-watches",
            Props.empty());
  }

  void feeding(Feeding listener) {
    feeding = listener;
  }

  private record Channel(ActorRef<WatchChannel.Message> ref, int generation) {}

  private Behavior<Message> running(
      ActorContext<Message> context, Map<LedgerId, Channel> channels, int[] generations) {
    return Behaviors.receive(Message.class)
        .onMessage(
            Start.class,
            start -> {
              LedgerId id = start.source().id();
              Channel channel =
                  channels.computeIfAbsent(
                      id,
                      same -> {
                        int generation = ++generations[0];
                        Runnable idle = () -> context.getSelf().tell(new Idle(id, generation));
                        return new Channel(
                            context.spawn(
                                WatchChannel.create(
                                    start.source(), node.settings(), cache, () -> feeding, idle),
                                "watch-" + id + "-" + generation),
                            generation);
                      });
              channel.ref().tell(start.open());
              return Behaviors.same();
            })
        .onMessage(
            Forget.class,
            forget -> {
              channels.values().forEach(channel -> channel.ref().tell(new WatchChannel.Forget()));
              return Behaviors.same();
            })
        .onMessage(
            AttachAgain.class,
            again -> {
              channels
                  .values()
                  .forEach(channel -> channel.ref().tell(new WatchChannel.AttachAgain()));
              return Behaviors.same();
            })
        .onMessage(
            Idle.class,
            idle -> {
              channels.computeIfPresent(
                  idle.id(),
                  (id, channel) -> channel.generation() == idle.generation() ? null : channel);
              return Behaviors.same();
            })
        .build();
  }

  /** Commits that are held in memory are read from the log again: something was erased. */
  void forget() {
    hub.tell(new Forget());
  }

  /** Owners may have moved: every channel looks for its own now, not with its next heartbeat. */
  void attachAgain() {
    hub.tell(new AttachAgain());
  }

  CompletionStage<Watch> watchSpace(
      MountedSpaceClient space, WatchRequest request, WatchHandler handler) {
    MountInfo mount = space.mount();
    Predicate<Change.OfEntry> filter =
        change -> {
          byte region = change.entry().region();
          if (request.region().isPresent() && request.region().get().code() != region) {
            return false;
          }
          if (request.prefix().isEmpty()
              && mount.prefixes().isEmpty()
              && mount.regions().isEmpty()) {
            return true;
          }
          EntryKey key = SpaceRows.key(change.entry());
          return key.name().startsWith(request.prefix()) && mount.covers(key.region(), key.name());
        };
    LedgerId id = space.grant().space();
    WatchSource source = new OwnerSource(id, node.reader(id), node.spaces());
    return open(source, space, filter, request.from(), request.values(), handler);
  }

  /** Opens a watch on any ledger whose mount is the space's. */
  CompletionStage<Watch> open(
      WatchSource source,
      MountedSpaceClient space,
      Predicate<Change.OfEntry> filter,
      OptionalLong from,
      boolean values,
      WatchHandler handler) {
    return space
        .client()
        .calls()
        .call(
            (promise, again) -> {
              Watcher watcher =
                  new Watcher(
                      filter,
                      values,
                      handler,
                      space::grant,
                      () -> space.guarded(() -> CompletableFuture.completedFuture(true)));
              hub.tell(new Start(source, new WatchChannel.Open(watcher, from, promise)));
            });
  }
}
