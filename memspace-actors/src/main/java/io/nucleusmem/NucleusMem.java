package io.nucleusmem;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.Extension;
import akka.actor.typed.ExtensionId;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Operations;
import io.nucleusmem.memspace.SpaceKeeping;
import io.nucleusmem.store.KvStore;

/**
 * NucleusMem on an actor system: spaces, topics, watches and mounts over the system's {@link
 * StoreExtension}. The system must be a member of a cluster; one that joins itself is enough.
 */
public final class NucleusMem implements Extension {
  private static final Id ID = new Id();

  private final MemSpaceSystem system;

  private NucleusMem(ActorSystem<?> actors) {
    KvStore store = StoreExtension.get(actors).store();
    system = MemSpaceSystem.start(actors, store);
    SafePointMover.start(actors, store);
  }

  /** The extension of a system; starts it at first use. */
  public static NucleusMem get(ActorSystem<?> system) {
    return ID.apply(system);
  }

  /** The client. */
  public MemSpaces spaces() {
    return system.client();
  }

  /** Long-running work, of all nodes. */
  public Operations operations() {
    return system.operations();
  }

  /** What becomes of spaces' pasts: retention, erasure, export. */
  public SpaceKeeping keeping() {
    return system.keeping();
  }

  /** What operators do with spaces. */
  public MemSpaceSystem system() {
    return system;
  }

  /** Names the extension; code uses {@link NucleusMem#get}. */
  public static final class Id extends ExtensionId<NucleusMem> {
    @Override
    public NucleusMem createExtension(ActorSystem<?> system) {
      return new NucleusMem(system);
    }
  }
}
