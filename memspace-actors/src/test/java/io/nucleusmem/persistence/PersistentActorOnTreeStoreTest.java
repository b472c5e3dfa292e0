package io.nucleusmem.persistence;

import io.nucleusmem.store.KvStore;
import java.util.concurrent.Executor;

class PersistentActorOnTreeStoreTest extends PersistentActorContract {
  private final TreeStore store = new TreeStore();

  @Override
  protected KvStore open(Executor callbacks) {
    return store;
  }
}
