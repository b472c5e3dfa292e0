package io.nucleusmem.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.http.HttpSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NodeConfigTest {
  private static Config with(String given) {
    return NodeConfig.complete(ConfigFactory.parseString(given));
  }

  @Test
  void theDefaultsAreWhole() {
    Config config = with("");
    NodeConfig.refuseUnknownKeys(config);
    assertThat(HttpSettings.from(config).loopbackOnly()).isTrue();
    assertThat(NodeSettings.from(config).seedNodes()).isEmpty();
  }

  @Test
  void theFileGoesOverTheDefaultsAndTheCommandLineOverTheFile(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("node.conf");
    Files.writeString(file, "nucleusmem.http { port = 1, streams-max = 7 }");
    Config config = NodeConfig.load(Optional.of(file), Map.of("nucleusmem.http.port", 2));
    assertThat(config.getInt("nucleusmem.http.port")).isEqualTo(2);
    assertThat(config.getInt("nucleusmem.http.streams-max")).isEqualTo(7);
    assertThat(config.getInt("nucleusmem.http.connections-max")).isEqualTo(4096);
  }

  @Test
  void systemPropertiesGoOverTheFile(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("node.conf");
    Files.writeString(file, "nucleusmem.http.streams-max = 7");
    System.setProperty("nucleusmem.http.streams-max", "8");
    try {
      Config config = NodeConfig.load(Optional.of(file), Map.of());
      assertThat(config.getInt("nucleusmem.http.streams-max")).isEqualTo(8);
    } finally {
      System.clearProperty("nucleusmem.http.streams-max");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "nucleusmem.http.prot, nucleusmem.http.port",
    "nucleusmem.htp.port, nucleusmem.http",
    "nucleusmem.store.rocksdb.directory, nucleusmem.store.rocksdb.dir",
    "nucleusmem.journal.replay-page-row-max, nucleusmem.journal.replay-page-rows-max",
    "nucleusmem.node.seed-node, nucleusmem.node.seed-nodes"
  })
  void anUnknownKeyIsRefusedWithTheNearestOne(String key, String nearest) {
    assertThatThrownBy(() -> NodeConfig.refuseUnknownKeys(with(key + " = 1")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(key.substring(0, key.indexOf('.', 11)))
        .hasMessageEndingWith(nearest);
  }

  @Test
  void keysOfAkkasPluginsAndOfDispatchersPass() {
    NodeConfig.refuseUnknownKeys(
        with(
            """
            nucleusmem.journal.recovery-event-timeout = 5s
            nucleusmem.journal.event-adapters { a = "b" }
            nucleusmem.agents.blocking-dispatcher.thread-pool-executor.keep-alive-time = 5s
            """));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nucleusmem.http.port = 70000",
        "nucleusmem.http.streams-max = 0",
        "nucleusmem.http.pull-wait-max = 61s",
        "nucleusmem.http.request-timeout = 60s",
        "nucleusmem.http.progress-interval = 8s",
        "nucleusmem.http.drain-bytes-max = 1 MiB",
        "nucleusmem.http.tokens = [{token = short, principal = a, role = admin}]",
        "nucleusmem.http.tokens = [{token = \"0123456789abcdef\", principal = a, role = king}]",
        "nucleusmem.http.tokens = [{token = \"0123456789abcdef\", principal = system, role = agent}]",
        "nucleusmem.http.tokens = [{token = \"0123456789abcdef\", principal = a, role = admin, more = 1}]",
        "nucleusmem.http.tokens = [{token = \"0123456789abcdef\", principal = a, role = admin}, {token = \"0123456789abcdef\", principal = b, role = admin}]"
      })
  void whatIsOutOfBoundsIsRefusedByName(String bad) {
    String key = bad.substring(0, bad.indexOf(' '));
    assertThatThrownBy(() -> HttpSettings.from(with(bad)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(key)
        .hasMessageNotContaining("0123456789abcdef");
  }

  @Test
  void withoutTokensOnlyThisMachineMayCall() {
    assertThatThrownBy(() -> HttpSettings.from(with("nucleusmem.http.host = \"0.0.0.0\"")))
        .hasMessageContaining("nucleusmem.http.host")
        .hasMessageContaining("tokens");
    HttpSettings open =
        HttpSettings.from(
            with(
                """
                nucleusmem.http.host = "0.0.0.0"
                nucleusmem.http.tokens = [{token = "0123456789abcdef", principal = a, role = agent}]
                """));
    assertThat(open.loopbackOnly()).isFalse();
    assertThat(open.toString()).doesNotContain("0123456789abcdef");
  }

  @ParameterizedTest
  @CsvSource({"port, port, 0", "prot, port, 2", "'', abc, 3", "dir, directory, 6"})
  void distanceCountsEdits(String a, String b, int edits) {
    assertThat(NodeConfig.distance(a, b)).isEqualTo(edits);
    assertThat(NodeConfig.distance(b, a)).isEqualTo(edits);
  }
}
