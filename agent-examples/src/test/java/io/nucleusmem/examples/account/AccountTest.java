package io.nucleusmem.examples.account;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An actor of plain Akka that knows nothing of NucleusMem, on either engine. */
class AccountTest {
  private static Config account(String store) {
    return ConfigFactory.parseString(store).withFallback(ConfigFactory.load("account"));
  }

  private static void goesOnAfterARestart(Config config) {
    assertThat(AccountMain.run(config, "100", "-30", "-71"))
        .as("what is refused leaves no event")
        .containsExactly(new Account.Paid(100), new Account.Paid(-30));
    assertThat(AccountMain.run(config, "-70"))
        .as("recovered: 70 were left")
        .containsExactly(new Account.Paid(100), new Account.Paid(-30), new Account.Paid(-70));
  }

  @Test
  void onTheEmbeddedEngine(@TempDir Path dir) {
    goesOnAfterARestart(account("nucleusmem.store.rocksdb.dir = \"" + dir.resolve("data") + "\""));
  }

  @Test
  void onTikv() {
    try (TikvTestCluster cluster = TikvTestCluster.start()) {
      goesOnAfterARestart(
          account(
              """
              nucleusmem.store.engine = "tikv"
              nucleusmem.store.tikv { pd-endpoints = ["%s"], connect-timeout = 2m }
              """
                  .formatted(cluster.pdAddresses())));
    }
  }
}
