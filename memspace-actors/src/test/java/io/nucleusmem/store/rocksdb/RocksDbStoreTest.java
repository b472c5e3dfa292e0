package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.KvStoreContract;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class RocksDbStoreTest extends KvStoreContract {
  @TempDir Path dir;
  private final ExecutorService callbacks = Executors.newFixedThreadPool(2);

  @AfterEach
  void stopCallbacks() {
    callbacks.shutdown();
  }

  @Override
  protected KvStore open() {
    return RocksDbStore.open(TestSettings.in(dir), callbacks);
  }

  @Override
  protected KvStore reopen(KvStore closed) {
    return open();
  }
}
