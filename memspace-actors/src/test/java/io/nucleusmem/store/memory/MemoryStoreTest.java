package io.nucleusmem.store.memory;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.KvStoreContract;
import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.Nested;

class MemoryStoreTest {
  @Nested
  class All extends Suite {
    All() {
      super(StoreScope.ALL);
    }
  }

  @Nested
  class Region extends Suite {
    Region() {
      super(StoreScope.REGION);
    }
  }

  abstract static class Suite extends KvStoreContract {
    private final StoreScope scope;

    Suite(StoreScope scope) {
      this.scope = scope;
    }

    @Override
    protected KvStore open() {
      return new MemoryStore(scope);
    }

    @Override
    protected KvStore reopen(KvStore closed) {
      return ((MemoryStore) closed).reopen();
    }
  }
}
