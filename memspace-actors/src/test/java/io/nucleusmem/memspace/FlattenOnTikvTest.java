package io.nucleusmem.memspace;

import io.nucleusmem.store.tikv.PatientTikv;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.BeforeAll;

/** Flattening over TiKV's protocol, with what is copied and the copies in several regions. */
class FlattenOnTikvTest extends FlattenContract {
  @BeforeAll
  static void startNode() {
    TikvTestCluster cluster = TikvTestCluster.start(3, 1);
    for (String at : List.of("nml", "nml@", "nml\u007F")) { // ledgers' ids are spread
      cluster.split(at.getBytes(StandardCharsets.US_ASCII));
    }
    start(
        PatientTikv.open(cluster, ForkJoinPool.commonPool()),
        cluster::advanceClock,
        cluster::close,
        3);
  }
}
