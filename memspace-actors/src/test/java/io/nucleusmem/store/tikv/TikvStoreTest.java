package io.nucleusmem.store.tikv;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.KvStoreContract;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** What every engine promises, over TiKV's protocol. */
class TikvStoreTest {
  @Nested
  class OneRegion extends Suite {}

  @Nested
  class ThreeStoresAndManyRegions extends Suite {
    @Override
    TikvTestCluster cluster() {
      TikvTestCluster cluster = TikvTestCluster.start(3, 1);
      for (String at : List.of("nm", "nma", "nmb", "nmc", "nmk", "nmv", "nmx")) {
        cluster.split(at.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      }
      cluster.split(new byte[] {'n', 'm', 0, 1});
      cluster.split(new byte[] {'n', 'm', (byte) 0xFF});
      cluster.moveLeader(new byte[] {'n', 'm', 'b'}, 2);
      cluster.moveLeader(new byte[] {'n', 'm', 'k'}, 3);
      return cluster;
    }
  }

  abstract static class Suite extends KvStoreContract {
    private TikvTestCluster cluster;

    TikvTestCluster cluster() {
      return TikvTestCluster.start();
    }

    @Override
    protected KvStore open() {
      cluster = cluster();
      return connect();
    }

    @Override
    protected KvStore reopen(KvStore closed) {
      return connect();
    }

    private KvStore connect() {
      return PatientTikv.open(cluster, ForkJoinPool.commonPool());
    }

    @AfterEach
    void stopCluster() {
      cluster.close();
    }
  }
}
