package io.nucleusmem.store.tikv;

import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/** Opens stores for tests whose subject is no time-out, on machines that are busy with others. */
public final class PatientTikv {
  private PatientTikv() {}

  /** A store under the usual prefix. */
  public static TikvStore open(TikvTestCluster cluster, Executor callbacks) {
    return TikvStore.open(
        new TikvSettings(
            List.of(cluster.pdAddresses().split(",")),
            "nm",
            Duration.ofSeconds(60),
            Duration.ofSeconds(10),
            Duration.ofSeconds(60),
            256,
            Optional.empty(),
            TikvSettings.Gc.DEFAULT),
        callbacks);
  }
}
