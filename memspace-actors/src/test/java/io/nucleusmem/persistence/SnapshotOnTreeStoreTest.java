package io.nucleusmem.persistence;

import io.nucleusmem.store.KvStore;

class SnapshotOnTreeStoreTest extends SnapshotContract {
  @Override
  protected KvStore open() {
    return new TreeStore();
  }
}
