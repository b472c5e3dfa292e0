package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import io.nucleusmem.memspace.CompactedException;
import io.nucleusmem.memspace.WatchEvent;

/** What becomes of an agent's watch that ends by itself. */
final class MemSpaceEnds {
  private MemSpaceEnds() {}

  static void report(AgentWatch watch, WatchEvent event, ActorRef<AgentRunner.Message> runner) {
    Throwable why =
        event instanceof WatchEvent.Ended ended
            ? ended.reason()
            : new CompactedException(
                watch.startedAt() + 1, ((WatchEvent.Compacted) event).oldest());
    runner.tell(new AgentRunner.WatchStarted(watch, why));
  }
}
