package io.nucleusmem.persistence;

import io.nucleusmem.store.KvStore;

class DurableStateOnTreeStoreTest extends DurableStateContract {
  @Override
  protected KvStore open() {
    return new TreeStore();
  }
}
