package io.nucleusmem.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.ClusterEvent.MemberJoined;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Subscribe;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.store.tikv.TestCertificates;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node whose store is TiKV: what it says when it cannot have it, and that it joins nobody then.
 */
@Timeout(240)
class NodeOnTikvTest {
  private static final String SOON = "nucleusmem.store.tikv.connect-timeout = 1s";

  @TempDir Path dir;

  private final TikvTestCluster tikv = TikvTestCluster.start();

  @AfterEach
  void stopTikv() {
    tikv.close();
  }

  private static Config config(String pd, String... more) {
    return ConfigFactory.parseString(
        """
        nucleusmem.http.port = 0
        nucleusmem.store.engine = tikv
        nucleusmem.store.tikv.pd-endpoints = ["%s"]
        nucleusmem.store.tikv.connect-timeout = 60s
        nucleusmem.store.tikv.gc.enabled = off
        nucleusmem.node.store-timeout = 60s
        %s"""
            .formatted(pd, String.join("\n", more)));
  }

  private static void doesNotStart(Config config, String... contained) {
    assertThatThrownBy(() -> NucleusNode.start(config, List.of()))
        .isInstanceOf(NodeStartException.class)
        .hasMessageStartingWith("store: ")
        .hasMessageContainingAll(contained)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void whatIsWrongWithTheStoreIsSaid() throws Exception {
    doesNotStart(config("127.0.0.1:1", SOON), "127.0.0.1:1", "connect-timeout");
    doesNotStart(config("no address"), "nucleusmem.store.tikv.pd-endpoints", "host:port");
    String pd = tikv.pdAddresses();
    doesNotStart(
        config(pd, "nucleusmem.store.tikv.request-timeout = 1h"),
        "nucleusmem.store.tikv.request-timeout",
        "PT1H");
    doesNotStart(
        config(pd, "nucleusmem.store.tikv.tls.ca = none.pem"),
        "nucleusmem.store.tikv.tls.ca",
        "none.pem");
    Path stranger = new TestCertificates(dir, "stranger").ca();
    doesNotStart(
        config(pd, SOON, "nucleusmem.store.tikv.tls.ca = \"%s\"".formatted(stranger)),
        pd,
        "connect-timeout");
    tikv.version("5.4.3");
    doesNotStart(config(pd), "5.4.3", "6.0.0");
  }

  /** PD is there, and no row can be read. */
  @Test
  void aNodeJoinsOnlyWhenItsStoreHasAnswered() throws Exception {
    String pd = tikv.pdAddresses();
    try (NucleusNode first = NucleusNode.start(config(pd), List.of());
        TikvTestCluster hanging = TikvTestCluster.start()) {
      BlockingQueue<String> joined = joined(first.system());
      String seeds =
          "nucleusmem.node.seed-nodes = [\"%s\"]"
              .formatted(Cluster.get(first.system()).selfMember().address());
      hanging.faults().hang(1);
      doesNotStart(
          config(
              hanging.pdAddresses(),
              seeds,
              "nucleusmem.node.store-timeout = 1s",
              "nucleusmem.store.tikv.operation-timeout = 2s"),
          "nucleusmem.node.store-timeout");
      assertThat(joined).isEmpty();
      try (NucleusNode second = NucleusNode.start(config(pd, seeds), List.of())) {
        String member = Cluster.get(second.system()).selfMember().address().toString();
        assertThat(joined.poll(60, TimeUnit.SECONDS)).isEqualTo(member);
      }
    }
  }

  @Test
  void aSeedNodeThatIsNoAddressIsNamed() {
    assertThatThrownBy(
            () ->
                NucleusNode.start(
                    config(tikv.pdAddresses(), "nucleusmem.node.seed-nodes = [\"10.0.0.1:25520\"]"),
                    List.of()))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContainingAll("nucleusmem.node.seed-nodes", "[10.0.0.1:25520]");
  }

  private static BlockingQueue<String> joined(ActorSystem<?> system) {
    BlockingQueue<String> joined = new LinkedBlockingQueue<>();
    ActorRef<MemberJoined> listener =
        system.systemActorOf(
            Behaviors.receiveMessage(
                event -> {
                  joined.add(event.member().address().toString());
                  return Behaviors.same();
                }),
            "joined",
            Props.empty());
    Cluster.get(system).subscriptions().tell(Subscribe.create(listener, MemberJoined.class));
    return joined;
  }
}
