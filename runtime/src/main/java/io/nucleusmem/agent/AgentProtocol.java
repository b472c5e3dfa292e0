package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import io.nucleusmem.CborSerializable;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What an agent's host may be asked, from any node, and what it answers and remembers. */
final class AgentProtocol {
  private AgentProtocol() {}

  /** A command of a host. */
  interface Command {}

  /** A command of others, for whoever hosts the agent. */
  interface Question extends Command, CborSerializable {
    ActorRef<Reply> replyTo();
  }

  /** Starts an agent's life. */
  record Spawn(AgentSpec spec, String principal, boolean admin, ActorRef<Reply> replyTo)
      implements Question {}

  /** What the agent is. */
  record Describe(ActorRef<Reply> replyTo) implements Question {}

  /** Another set of mounts. */
  record SwitchMounts(Principal caller, List<AgentMount> mounts, ActorRef<Reply> replyTo)
      implements Question {}

  /** Ends its life. */
  record Stop(Principal caller, ActorRef<Reply> replyTo) implements Question {}

  /** Sharding's word: the agent goes on elsewhere. */
  record Leave() implements Command, CborSerializable {}

  // ---- what a host's own parts tell it, on its node ----

  /** A watch of the agent has been handled up to here. */
  record CursorAt(String watch, long revision) implements Command {}

  /** How the agent is doing. */
  record RunnerAt(AgentInfo.State state, int restarts) implements Command {}

  /** The agent itself wants a mount, or gives one back. */
  record ChangeMount(AgentMount mount, boolean add, MountChanged reply) implements Command {}

  /** Where the result of {@link ChangeMount} goes. */
  interface MountChanged {
    void done(String mountId, Throwable failure);
  }

  /** The runner has ended; what its behavior had handled it told before. */
  record RunnerEnded(ActorRef<AgentRunner.Message> runner) implements Command {}

  // ---- answers ----

  /** An answer. */
  sealed interface Reply extends CborSerializable {}

  record Info(AgentInfo info) implements Reply {}

  record Refused(ErrorCode code, String why) implements Reply {
    MemSpaceException toException() {
      return new MemSpaceException(code, why);
    }

    static Refused of(Throwable failure) {
      Throwable cause =
          failure.getCause() != null && !(failure instanceof MemSpaceException)
              ? failure.getCause()
              : failure;
      return cause instanceof MemSpaceException known
          ? new Refused(known.code(), known.getMessage())
          : new Refused(ErrorCode.INTERNAL, String.valueOf(cause));
    }
  }

  // ---- events: stored for ever, so a field is added, never renamed ----

  /** What has happened to an agent. */
  sealed interface Event extends CborSerializable {
    State applyTo(State state);
  }

  /** A mount that the agent holds. */
  record Held(AgentMount mount, String mountId) {}

  record Spawned(AgentSpec spec, String principal, boolean admin) implements Event {
    @Override
    public State applyTo(State state) {
      // an inbox belongs to the id: what an earlier agent of this name has handled stays handled
      Map<String, Long> inbox = new HashMap<>(state.cursors());
      inbox.keySet().retainAll(Set.of(ContextWatches.INBOX));
      return new State(spec, principal, admin, null, List.of(), List.of(), inbox, false);
    }
  }

  /** New mounts are about to be acquired: what a crash leaves half done is found by this. */
  record Acquiring(List<AgentMount> mounts) implements Event {
    @Override
    public State applyTo(State state) {
      return state.with(mounts, state.held(), state.releasing());
    }
  }

  /**
   * The one step of a switch: from now on these are the agent's mounts, those others are to be
   * released.
   */
  record MountsHeld(List<Held> held, List<Held> releasing) implements Event {
    @Override
    public State applyTo(State state) {
      return state.with(null, held, releasing);
    }
  }

  record Released() implements Event {
    @Override
    public State applyTo(State state) {
      return state.with(state.acquiring(), state.held(), List.of());
    }
  }

  record CursorsMoved(Map<String, Long> cursors) implements Event {
    @Override
    public State applyTo(State state) {
      return state.withCursors(cursors);
    }
  }

  record Stopped() implements Event {
    @Override
    public State applyTo(State state) {
      return new State(
          state.spec(),
          state.principal(),
          state.admin(),
          null,
          List.of(),
          List.of(),
          state.cursors(),
          true);
    }
  }

  /**
   * What a host remembers.
   *
   * @param spec null before the agent was spawned
   * @param acquiring mounts that are being acquired; null if none are
   * @param releasing mounts that are to be released
   */
  record State(
      AgentSpec spec,
      String principal,
      boolean admin,
      List<AgentMount> acquiring,
      List<Held> held,
      List<Held> releasing,
      Map<String, Long> cursors,
      boolean stopped)
      implements CborSerializable {
    static final State NONE =
        new State(null, "", false, null, List.of(), List.of(), Map.of(), false);

    boolean lives() {
      return spec != null && !stopped;
    }

    /** True until the agent has its first mounts. */
    boolean begins() {
      return acquiring != null && held.isEmpty() && acquiring.equals(spec.mounts());
    }

    List<MountInfo> mounts() {
      return held.stream()
          .map(
              each ->
                  new MountInfo(
                      each.mountId(),
                      each.mount().space(),
                      AgentSpec.holder(spec.id()),
                      each.mount().access(),
                      each.mount().regions(),
                      each.mount().prefixes(),
                      each.mount().topics(),
                      principal,
                      admin))
          .toList();
    }

    State with(List<AgentMount> acquiringNow, List<Held> heldNow, List<Held> releasingNow) {
      return new State(
          spec, principal, admin, acquiringNow, heldNow, releasingNow, cursors, stopped);
    }

    State withCursors(Map<String, Long> moved) {
      Map<String, Long> all = new HashMap<>(cursors);
      all.putAll(moved);
      return new State(spec, principal, admin, acquiring, held, releasing, all, stopped);
    }
  }
}
