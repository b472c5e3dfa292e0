package io.nucleusmem;

import akka.actor.setup.Setup;
import io.nucleusmem.store.KvStore;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Gives an actor system its store in code, instead of by {@code nucleusmem.store.engine}: for tests
 * and for those who embed a node.
 *
 * <pre>{@code
 * ActorSystem.create("node", BootstrapSetup.create(config).and(StoreSetup.borrowed(store)));
 * }</pre>
 */
public final class StoreSetup extends Setup {
  private final Function<Executor, KvStore> opener;
  private final boolean closedWithSystem;

  private StoreSetup(Function<Executor, KvStore> opener, boolean closedWithSystem) {
    this.opener = Objects.requireNonNull(opener, "opener");
    this.closedWithSystem = closedWithSystem;
  }

  /** A store that the caller has opened and closes himself, after the system has ended. */
  public static StoreSetup borrowed(KvStore store) {
    Objects.requireNonNull(store, "store");
    return new StoreSetup(executor -> store, false);
  }

  /**
   * A store that the system opens and closes.
   *
   * @param opener gets the executor on which the store completes its stages
   */
  public static StoreSetup opened(Function<Executor, KvStore> opener) {
    return new StoreSetup(opener, true);
  }

  KvStore open(Executor callbacks) {
    return opener.apply(callbacks);
  }

  boolean closedWithSystem() {
    return closedWithSystem;
  }
}
