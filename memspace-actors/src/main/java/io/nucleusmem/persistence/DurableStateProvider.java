package io.nucleusmem.persistence;

import akka.actor.ExtendedActorSystem;
import akka.persistence.state.DurableStateStoreProvider;
import com.typesafe.config.Config;
import io.nucleusmem.StoreExtension;

/** Akka's durable-state plugin {@code nucleusmem.durable-state}: makes the store's two faces. */
public final class DurableStateProvider implements DurableStateStoreProvider {
  private final DurableStates states;

  /** Made by Akka. */
  public DurableStateProvider(ExtendedActorSystem system, Config config) {
    states =
        new DurableStates(
            new DurableStateDao(StoreExtension.get(system).store()),
            new Payloads(system),
            DurableStateSettings.from(config));
  }

  @Override
  public akka.persistence.state.javadsl.DurableStateStore<Object> javadslDurableStateStore() {
    return states;
  }

  @Override
  public akka.persistence.state.scaladsl.DurableStateStore<Object> scaladslDurableStateStore() {
    return new ScalaDurableStates(states);
  }
}
