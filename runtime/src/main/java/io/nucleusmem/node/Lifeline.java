package io.nucleusmem.node;

import akka.actor.Address;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.cluster.ClusterEvent.ClusterDomainEvent;
import akka.cluster.ClusterEvent.MemberExited;
import akka.cluster.ClusterEvent.MemberJoined;
import akka.cluster.ClusterEvent.MemberRemoved;
import akka.cluster.ClusterEvent.MemberUp;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Down;
import akka.cluster.typed.Subscribe;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Notices at once that a process of the cluster is dead: a process that was killed closes its
 * connections, and its port refuses new ones.
 *
 * <p>Keeps one idle connection to each member. When it ends and a new one is refused, twice, the
 * member is downed. That is proof of death only where the port is the process's own, so it can be
 * turned off. A node that hangs, is slow or cut off never refuses: it is left to the failure
 * detector.
 */
final class Lifeline extends AbstractBehavior<Lifeline.Event> {
  /** Processes that are known to be dead; what {@link LifelineDetector} believes. */
  static final Set<String> DEAD = ConcurrentHashMap.newKeySet();

  private static final Duration AGAIN_AFTER = Duration.ofMillis(40);
  private static final Duration UNKNOWN_AGAIN_AFTER = Duration.ofSeconds(1);
  private static final Duration SHORT = Duration.ofSeconds(1); // for a connection
  private static final int SHORT_ONES_MAX = 5; // in a row, before it is asked less often
  private static final int REFUSALS = 2; // in a row, before a process counts as dead

  /** What happens to members and to the connections to them. */
  sealed interface Event {}

  private record Membership(ClusterDomainEvent event) implements Event {}

  private record Connected(Line line, AsynchronousSocketChannel channel) implements Event {}

  private record Ended(Line line) implements Event {}

  private record Failed(Line line, Throwable why) implements Event {}

  private record Connect(Line line) implements Event {}

  /** The connection to one member. */
  private static final class Line {
    final Address member;
    AsynchronousSocketChannel channel;
    boolean once; // it has been connected: a port that never answered proves nothing
    int refusals;
    long connectedAt; // System.nanoTime
    int shortOnes; // connections in a row that ended at once
    boolean closed;

    Line(Address member) {
      this.member = member;
    }
  }

  private final Cluster cluster;
  private final Map<Address, Line> lines = new HashMap<>();

  static Behavior<Event> create() {
    return Behaviors.setup(Lifeline::new);
  }

  private Lifeline(ActorContext<Event> context) {
    super(context);
    cluster = Cluster.get(context.getSystem());
    ActorRef<ClusterDomainEvent> events =
        context.messageAdapter(ClusterDomainEvent.class, Membership::new);
    cluster.subscriptions().tell(Subscribe.create(events, ClusterDomainEvent.class));
  }

  @Override
  public Receive<Event> createReceive() {
    return newReceiveBuilder()
        .onMessage(Membership.class, this::onMembership)
        .onMessage(Connect.class, connect -> connect(connect.line()))
        .onMessage(Connected.class, this::onConnected)
        .onMessage(Ended.class, this::onEnded)
        .onMessage(Failed.class, this::onFailed)
        .onSignal(PostStop.class, this::onPostStop)
        .build();
  }

  private Behavior<Event> onMembership(Membership membership) {
    if (membership.event() instanceof MemberJoined joined) {
      DEAD.remove(joined.member().address().toString()); // another process at the same place
    } else if (membership.event() instanceof MemberUp up) {
      Address address = up.member().address();
      if (!address.equals(cluster.selfMember().address())) {
        Line line = new Line(address);
        close(lines.put(address, line));
        connect(line);
      }
    } else if (membership.event() instanceof MemberExited exited) {
      close(lines.remove(exited.member().address())); // its end is no surprise
    } else if (membership.event() instanceof MemberRemoved removed) {
      DEAD.remove(removed.member().address().toString());
      close(lines.remove(removed.member().address()));
    }
    return this;
  }

  private Behavior<Event> connect(Line line) {
    if (line.closed || lines.get(line.member) != line) {
      return this;
    }
    close(line.channel);
    line.channel = null;
    try {
      AsynchronousSocketChannel channel = AsynchronousSocketChannel.open();
      line.channel = channel;
      channel.connect(
          new InetSocketAddress(line.member.getHost().get(), line.member.getPort().get()),
          null,
          handler(none -> new Connected(line, channel), why -> new Failed(line, why)));
    } catch (IOException | RuntimeException e) { // a name that is not known, for one
      getContext().getSelf().tell(new Failed(line, e));
    }
    return this;
  }

  private <T> CompletionHandler<T, Void> handler(
      Function<T, Event> event, Function<Throwable, Event> failure) {
    ActorRef<Event> self = getContext().getSelf();
    return new CompletionHandler<>() {
      @Override
      public void completed(T result, Void none) {
        self.tell(event.apply(result));
      }

      @Override
      public void failed(Throwable why, Void none) {
        self.tell(failure.apply(why));
      }
    };
  }

  private Behavior<Event> onConnected(Connected connected) {
    Line line = connected.line();
    if (line.closed) {
      close(connected.channel());
      return this;
    }
    line.once = true;
    line.refusals = 0;
    line.connectedAt = System.nanoTime();
    // nothing is ever sent on it: the read ends with the process, or fails with it
    connected
        .channel()
        .read(
            ByteBuffer.allocate(1),
            null,
            handler(read -> new Ended(line), reset -> new Ended(line)));
    return this;
  }

  private Behavior<Event> onEnded(Ended ended) {
    Line line = ended.line();
    boolean shortOne = System.nanoTime() - line.connectedAt < SHORT.toNanos();
    line.shortOnes = shortOne ? line.shortOnes + 1 : 0;
    if (!shortOne) {
      return connect(line);
    }
    // a process that dies may accept once more before its port is closed; what goes on accepting
    // and closing, as a proxy without a process behind it does, is no reason to be busy
    again(line, line.shortOnes <= SHORT_ONES_MAX ? AGAIN_AFTER : UNKNOWN_AGAIN_AFTER);
    return this;
  }

  private void again(Line line, Duration after) {
    getContext().scheduleOnce(after, getContext().getSelf(), new Connect(line));
  }

  private Behavior<Event> onFailed(Failed failed) {
    Line line = failed.line();
    boolean refused = failed.why() instanceof ConnectException && isRefusal(failed.why());
    line.refusals = refused ? line.refusals + 1 : 0;
    if (line.once && line.refusals >= REFUSALS) {
      getContext()
          .getLog()
          .warn("the process at {} is gone: its port refuses connections", line.member);
      DEAD.add(line.member.toString());
      cluster.manager().tell(new Down(line.member));
      close(line);
      return this;
    }
    again(line, refused && line.once ? AGAIN_AFTER : UNKNOWN_AGAIN_AFTER);
    return this;
  }

  /** A time-out is a ConnectException too, and proves nothing. */
  private static boolean isRefusal(Throwable why) {
    return String.valueOf(why.getMessage()).toLowerCase(Locale.ROOT).contains("refused");
  }

  private Behavior<Event> onPostStop(PostStop signal) {
    lines.values().forEach(Lifeline::close);
    return this;
  }

  private static void close(Line line) {
    if (line != null) {
      line.closed = true;
      close(line.channel);
    }
  }

  private static void close(AsynchronousSocketChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // it is gone either way
      }
    }
  }
}
