package io.nucleusmem.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.WriteOptions;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Start and stop of a node, and what it says when it cannot start. */
@Timeout(120)
class NucleusNodeTest {
  @TempDir Path dir;

  private Config config(String... more) {
    return ConfigFactory.parseString(
        "nucleusmem.http.port = 0\nnucleusmem.store.rocksdb.dir = \"%s\"\n%s"
            .formatted(dir.resolve("data"), String.join("\n", more)));
  }

  @Test
  void whatWasWrittenIsThereAfterARestart() throws Exception {
    try (NucleusNode node = NucleusNode.start(config(), List.of())) {
      var spaces = node.spaces();
      spaces
          .create(Principal.LOCAL, CreateSpace.shared("s"), WriteOptions.DEFAULT)
          .thenCompose(made -> spaces.openOnly(Principal.LOCAL, "s"))
          .thenCompose(space -> space.put(EntryKey.of("k"), Content.text("still here")))
          .toCompletableFuture()
          .get(30, TimeUnit.SECONDS);
    }
    try (NucleusNode node = NucleusNode.start(config(), List.of())) {
      var entry =
          node.spaces()
              .openOnly(Principal.LOCAL, "s")
              .thenCompose(space -> space.get(EntryKey.of("k")))
              .toCompletableFuture()
              .get(30, TimeUnit.SECONDS);
      assertThat(entry.orElseThrow().text()).isEqualTo("still here");
    }
  }

  @Test
  void aDirectoryThatIsInUseIsNamedAndNothingIsLeftRunning() {
    try (NucleusNode first = NucleusNode.start(config(), List.of())) {
      assertThat(first.address().getPort()).isPositive();
      assertThatThrownBy(() -> NucleusNode.start(config(), List.of()))
          .isInstanceOf(NodeStartException.class)
          .hasMessageStartingWith("store: ")
          .hasMessageContaining(dir.resolve("data").toString())
          .message()
          .doesNotContain("\n");
      awaitNodesRunning(1);
    }
    awaitNodesRunning(0);
  }

  @Test
  void aPortThatIsTakenIsNamedAndTheDirectoryIsFreeAgain() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      String port = "nucleusmem.http.port = " + taken.getLocalPort();
      assertThatThrownBy(() -> NucleusNode.start(config(port), List.of()))
          .isInstanceOf(NodeStartException.class)
          .hasMessageStartingWith("http: ")
          .hasMessageContaining(String.valueOf(taken.getLocalPort()))
          .hasMessageContaining("nucleusmem.http.port")
          .hasMessageContaining("in use");
    }
    NucleusNode.start(config(), List.of()).close();
  }

  @Test
  void badConfigurationStartsNothing() {
    for (String bad :
        new String[] {
          "nucleusmem.http.prot = 1",
          "nucleusmem.http.host = \"0.0.0.0\"",
          "nucleusmem.http.port = many",
          "nucleusmem.node.join-timeout = 0s"
        }) {
      assertThatThrownBy(() -> NucleusNode.start(config(bad), List.of()))
          .as(bad)
          .isInstanceOf(NodeStartException.class)
          .hasMessageStartingWith("configuration: ");
    }
    assertThatThrownBy(
            () -> NucleusNode.start(config("nucleusmem.store.engine = mysql"), List.of()))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("mysql");
    assertThatThrownBy(
            () -> NucleusNode.start(config("nucleusmem.memspace.claims-max = 0"), List.of()))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("nucleusmem.memspace.claims-max");
    awaitNodesRunning(0);
  }

  /** An actor system has terminated a moment before its last thread has. */
  private static void awaitNodesRunning(long expected) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (nodesRunning() != expected && System.nanoTime() < deadline) {
      LockSupport.parkNanos(10_000_000);
    }
    assertThat(nodesRunning()).isEqualTo(expected);
  }

  private static long nodesRunning() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("nucleusmem-scheduler"))
        .count();
  }
}
