package io.nucleusmem.store.tikv;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.KvStoreContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * What every engine promises, on the TiKV cluster that {@code NUCLEUSMEM_TEST_PD} names. Each test
 * has a key prefix of its own and removes what it wrote.
 */
@EnabledIfEnvironmentVariable(named = RealCluster.PD, matches = ".+")
class TikvStoreIT extends KvStoreContract {
  private final RealCluster corner = new RealCluster();

  @Override
  protected KvStore open() {
    return corner.open();
  }

  @Override
  protected KvStore reopen(KvStore closed) {
    return corner.open();
  }

  @AfterEach
  void removeWhatItWrote() {
    corner.clear();
  }
}
