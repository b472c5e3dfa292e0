package io.nucleusmem.persistence;

import io.nucleusmem.store.KvStore;

class JournalOnTreeStoreTest extends JournalContract {
  @Override
  protected KvStore open() {
    return new TreeStore();
  }
}
