package io.nucleusmem.cluster;

import io.nucleusmem.cli.NodeProcess;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Several nodes, each a process, over one TiKV: the cluster that {@code NUCLEUSMEM_TEST_PD} names,
 * else the protocol's test server in this JVM.
 */
final class ClusterProcesses implements AutoCloseable {
  private static final String REAL_PD = System.getenv("NUCLEUSMEM_TEST_PD");
  // below what systems hand out by themselves: a client's connection could take the port of a node
  // that is down, and it could not come back
  private static final int PORT_MIN = 20_000;
  private static final int PORT_MAX = 32_000;

  private final Path dir;
  private final TikvTestCluster server;
  private final String pd;
  private final String prefix = "nm" + UUID.randomUUID().toString().substring(0, 8);
  private final int[] artery;
  private final AtomicReferenceArray<NodeProcess> nodes;
  private final AtomicReferenceArray<URI> addresses; // null while a node is down
  private final List<String> more;

  /**
   * Starts them and waits until all are ready.
   *
   * @param more lines of configuration
   */
  ClusterProcesses(Path dir, int count, String... more) throws IOException {
    this.dir = dir;
    this.more = List.of(more);
    server = REAL_PD == null ? TikvTestCluster.start() : null;
    pd = REAL_PD == null ? server.pdAddresses() : REAL_PD;
    artery = freePorts(count);
    nodes = new AtomicReferenceArray<>(count);
    addresses = new AtomicReferenceArray<>(count);
    for (int i = 0; i < count; i++) {
      begin(i);
    }
    for (int i = 0; i < count; i++) {
      ready(i);
    }
  }

  private static int[] freePorts(int count) throws IOException {
    List<ServerSocket> held = new ArrayList<>();
    int[] ports = new int[count];
    while (held.size() < count) {
      int port = ThreadLocalRandom.current().nextInt(PORT_MIN, PORT_MAX);
      try {
        held.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
        ports[held.size() - 1] = port;
      } catch (BindException e) {
        // somebody has it: another
      }
    }
    for (ServerSocket each : held) {
      each.close();
    }
    return ports;
  }

  private void begin(int i) throws IOException {
    Path own = Files.createDirectories(dir.resolve("node-" + i));
    List<String> lines = new ArrayList<>();
    lines.add("nucleusmem.store.engine = tikv");
    lines.add("nucleusmem.store.tikv.key-prefix = " + prefix);
    // a start among others that start is slow, and no reason to give up
    lines.add("nucleusmem.store.tikv.connect-timeout = 2m");
    lines.add("nucleusmem.node.store-timeout = 2m");
    lines.add("nucleusmem.node.join-timeout = 3m");
    lines.add(
        List.of(pd.split(",")).stream()
            .collect(
                Collectors.joining("\",\"", "nucleusmem.store.tikv.pd-endpoints = [\"", "\"]")));
    StringBuilder seeds = new StringBuilder();
    // only the first of its list forms a cluster, so a node that comes back names itself last
    int first = nodes.get(i) == null ? 0 : i + 1;
    for (int n = 0; n < count(); n++) {
      seeds.append('"').append(member((first + n) % count())).append("\",");
    }
    lines.add("nucleusmem.node.seed-nodes = [" + seeds + "]");
    lines.add("akka.remote.artery.canonical.port = " + artery[i]);
    lines.add("akka.remote.artery.advanced.test-mode = on"); // frames can be dropped, see Cuts
    lines.add("akka.extensions = [" + Cuts.class.getName() + "]");
    lines.addAll(more);
    Path conf = own.resolve("node.conf");
    Files.write(conf, lines);
    nodes.set(i, new NodeProcess(own, "--conf", conf.toString(), "--port", "0"));
  }

  private void ready(int i) {
    addresses.set(i, URI.create("http://127.0.0.1:" + nodes.get(i).port()));
  }

  int count() {
    return artery.length;
  }

  /** The host and port by which the cluster knows a node. */
  String member(int i) {
    return "akka://nucleusmem@127.0.0.1:" + artery[i];
  }

  NodeProcess node(int i) {
    return nodes.get(i);
  }

  /** Where a node answers; only while it runs. */
  URI address(int i) {
    return addresses.get(i);
  }

  /** Where some node answers. */
  URI any() {
    while (true) {
      URI address = addresses.get(ThreadLocalRandom.current().nextInt(count()));
      if (address != null) {
        return address;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  /** {@code kill -9}. */
  void kill(int i) throws InterruptedException {
    addresses.set(i, null);
    nodes.get(i).close();
    nodes.get(i).rest();
  }

  /** SIGTERM, and waits for the end: it has handed over. */
  void stop(int i) throws InterruptedException {
    addresses.set(i, null);
    nodes.get(i).terminate();
    ended(i);
  }

  /** Stops its processor time; clients go elsewhere. */
  void pause(int i) throws IOException, InterruptedException {
    addresses.set(i, null);
    nodes.get(i).signal("STOP");
  }

  /** Lets it go on, as if nothing had happened, and clients come back to it. */
  void resume(int i) throws IOException, InterruptedException {
    nodes.get(i).signal("CONT");
    ready(i);
  }

  /** From now on no frame passes between a node and the others; clients reach both sides. */
  void cut(int i) throws IOException {
    for (int n = 0; n < count(); n++) {
      if (n != i) {
        nodes.get(i).say(Cuts.CUT + member(n));
        nodes.get(n).say(Cuts.CUT + member(i));
      }
    }
  }

  /** Lets the others hear of a node again; that one has ended meanwhile. */
  void heal(int i) throws IOException {
    for (int n = 0; n < count(); n++) {
      if (n != i) {
        nodes.get(n).say(Cuts.HEAL + member(i));
      }
    }
  }

  /** Starts what does not run, so that all do. */
  void repair() throws IOException {
    for (int i = 0; i < count(); i++) {
      if (!nodes.get(i).isAlive()) {
        restart(i);
      }
    }
  }

  /** Waits for the end of a node that was told to leave. */
  void ended(int i) throws InterruptedException {
    nodes.get(i).exitCode();
    addresses.set(i, null);
  }

  /** Starts a node that was killed or stopped, on the same address, and waits until it is ready. */
  void restart(int i) throws IOException {
    begin(i);
    ready(i);
  }

  @Override
  public void close() {
    for (int i = 0; i < count(); i++) {
      if (nodes.get(i) != null) {
        nodes.get(i).close();
      }
    }
    if (server != null) {
      server.close();
    }
  }
}
