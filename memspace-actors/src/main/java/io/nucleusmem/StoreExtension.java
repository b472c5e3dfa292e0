package io.nucleusmem;

import akka.Done;
import akka.actor.AbstractExtensionId;
import akka.actor.ActorSystem;
import akka.actor.ClassicActorSystemProvider;
import akka.actor.CoordinatedShutdown;
import akka.actor.ExtendedActorSystem;
import akka.actor.Extension;
import akka.actor.ExtensionIdProvider;
import io.nucleusmem.store.KvStore;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The one {@link KvStore} of an actor system: opened at first use, shared by the persistence plugin
 * and the actors, closed when the system ends.
 *
 * <p>Which store: the {@link StoreSetup} that the system was created with, else {@code
 * nucleusmem.store.engine}. Its stages complete on the system's default dispatcher. A store that
 * does not open fails the first {@code get}, and every later one, with the {@code StoreException}
 * of the engine; list this extension under {@code akka.extensions} to have that stop the start.
 *
 * <p>The store is closed in the phase {@code before-actor-system-terminate}, on a thread of its
 * own, after sharding has handed over its entities. A system that ends without coordinated shutdown
 * closes it when its last actor has stopped.
 */
public final class StoreExtension implements Extension {
  private static final Id ID = new Id();

  private final KvStore store;
  private final AtomicBoolean closed = new AtomicBoolean();

  private StoreExtension(ExtendedActorSystem system) {
    Optional<StoreSetup> setup = system.settings().setup().get(StoreSetup.class);
    this.store =
        setup
            .map(given -> given.open(system.dispatcher()))
            .orElseGet(() -> StoreEngines.open(system.settings().config(), system.dispatcher()));
    if (setup.map(StoreSetup::closedWithSystem).orElse(true)) {
      closeWith(system);
    }
  }

  /** The extension of a system, classic or typed. */
  public static StoreExtension get(ClassicActorSystemProvider system) {
    return ID.get(system);
  }

  /** The store. */
  public KvStore store() {
    return store;
  }

  private void closeWith(ActorSystem system) {
    CoordinatedShutdown.get(system)
        .addTask(
            CoordinatedShutdown.PhaseBeforeActorSystemTerminate(),
            "close-nucleusmem-store",
            this::close);
    // Without coordinated shutdown; waits, so that who awaited the end can open the store again.
    system.registerOnTermination(() -> close().toCompletableFuture().join());
  }

  private CompletionStage<Done> close() {
    if (!closed.compareAndSet(false, true)) {
      return CompletableFuture.completedFuture(Done.getInstance());
    }
    return CompletableFuture.supplyAsync(
        () -> {
          store.close();
          return Done.getInstance();
        },
        closing -> new Thread(closing, "nucleusmem-store-close").start());
  }

  /** Names the extension in {@code akka.extensions}; code uses {@link StoreExtension#get}. */
  public static final class Id extends AbstractExtensionId<StoreExtension>
      implements ExtensionIdProvider {

    @Override
    public Id lookup() {
      return ID;
    }

    @Override
    public StoreExtension createExtension(ExtendedActorSystem system) {
      return new StoreExtension(system);
    }
  }
}
