package io.nucleusmem.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.nucleusmem.http.HttpSettings;
import io.nucleusmem.store.tikv.TikvSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code conf/cluster.conf} as operators use it, with values where they would set variables. */
class ClusterConfTest {
  private static final Path FILE = Path.of("..", "conf", "cluster.conf");

  private static final Map<String, String> NEEDED =
      Map.of(
          "NUCLEUSMEM_PD", "pd-1:2379",
          "NUCLEUSMEM_HOST", "node-1",
          "NUCLEUSMEM_SEED", "akka://nucleusmem@node-1:25520",
          "NUCLEUSMEM_SEED_3", "akka://nucleusmem@node-3:25520",
          "NUCLEUSMEM_ADMIN_TOKEN", "0123456789abcdef");

  @Test
  void itIsCompleteAndHasNoKeyThatNothingReads() {
    Config config = NodeConfig.load(Optional.of(FILE), NEEDED);
    NodeConfig.refuseUnknownKeys(config);
    assertThat(TikvSettings.from(config).pdEndpoints()).containsExactly("pd-1:2379");
    assertThat(TikvSettings.from(config).tls()).isEmpty();
    assertThat(NodeSettings.from(config).seedNodes())
        .containsExactly("akka://nucleusmem@node-1:25520", "akka://nucleusmem@node-3:25520");
    assertThat(HttpSettings.from(config).tokens()).hasSize(1);
    assertThat(config.getString("akka.remote.artery.canonical.hostname")).isEqualTo("node-1");
  }

  @Test
  void aVariableThatIsMissingIsNamed() {
    for (String name : List.of("NUCLEUSMEM_PD", "NUCLEUSMEM_HOST", "NUCLEUSMEM_ADMIN_TOKEN")) {
      Map<String, String> given = new HashMap<>(NEEDED);
      given.remove(name);
      assertThatThrownBy(() -> NodeConfig.load(Optional.of(FILE), given))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(name);
    }
  }

  /** The manifests set what the file asks for, and nothing that it does not know. */
  @Test
  void theManifestsSetItsVariables() throws IOException {
    String conf = Files.readString(FILE);
    for (String manifest : List.of("kubernetes.yaml", "compose.yaml")) {
      String yaml = Files.readString(FILE.resolveSibling(manifest));
      for (String name : NEEDED.keySet()) {
        if (!name.endsWith("_3")) {
          assertThat(yaml).as(manifest).contains(name);
        }
      }
      Matcher used = Pattern.compile("NUCLEUSMEM_[A-Z_0-9]+").matcher(yaml);
      while (used.find()) {
        assertThat(conf).as(manifest).contains(used.group());
      }
    }
  }
}
