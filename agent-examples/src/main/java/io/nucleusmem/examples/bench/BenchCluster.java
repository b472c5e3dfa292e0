package io.nucleusmem.examples.bench;

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
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Nodes, each a process as {@code scripts/node} runs it, on this machine. Over the TiKV that {@code
 * NUCLEUSMEM_PD} names, under a key prefix of its own; else over the protocol's test server, which
 * keeps everything in memory.
 */
final class BenchCluster implements AutoCloseable {
  private static final Pattern NODE_READY = Pattern.compile("ready in \\d+ ms: (http://[^ ]+)");
  private static final Pattern STORE_READY = Pattern.compile("pd-endpoints (\\S+)");
  private static final String TEST_SERVER =
      "io.nucleusmem.store.tikv.server.ProtocolTestServer"; // in another module's test-jar
  private static final String LOGBACK_START = // warnings of Akka: who is unreachable or downed
      """
      <configuration>
        <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
          <target>System.err</target>
          <encoder><pattern>%d{HH:mm:ss.SSS} %level %logger{0} %msg%n</pattern></encoder>
        </appender>
        <logger name="io.nucleusmem" level="INFO"/>
      """;
  private static final String LOGBACK_END =
      """
        <root level="WARN"><appender-ref ref="STDERR"/></root>
      </configuration>
      """;
  private static final int PORT_MIN = 20_000; // below what systems hand out by themselves
  private static final int PORT_MAX = 32_000;
  private static final long PAUSE_NANOS = 1_000_000;

  private final Path dir;
  private final Path logback;
  private final String prefix = "bench" + UUID.randomUUID().toString().substring(0, 8);
  private final List<String> more;
  private final BenchProcess store; // null on a TiKV that was there before
  private final String pd;
  private final int[] artery;
  private final AtomicReferenceArray<BenchProcess> nodes;
  private final AtomicReferenceArray<URI> addresses; // null while a node is down

  /**
   * Starts and waits until all are ready.
   *
   * @param more lines of configuration
   */
  BenchCluster(Path dir, int count, String... more) throws IOException {
    this.dir = Files.createDirectories(dir);
    this.more = List.of(more);
    logback = dir.resolve("logback.xml");
    Files.writeString(logback, LOGBACK_START + FailoverSteps.LOGGERS + LOGBACK_END);
    artery = freePorts(count);
    nodes = new AtomicReferenceArray<>(count);
    addresses = new AtomicReferenceArray<>(count);
    String given = System.getenv("NUCLEUSMEM_PD");
    String server = System.getenv("NUCLEUSMEM_TEST_SERVER");
    if (given == null && server == null) {
      throw new IllegalStateException(
          "neither NUCLEUSMEM_PD (host:port of a TiKV's PD) nor NUCLEUSMEM_TEST_SERVER (the jar of"
              + " the protocol's test server) is set; scripts/bench sets the second one");
    }
    store = given == null ? new BenchProcess(logback, server, STORE_READY, TEST_SERVER, "0") : null;
    try {
      pd = given == null ? store.ready() : given;
      for (int i = 0; i < count; i++) { // one after the other: the first is the oldest member
        begin(i);
        addresses.set(i, URI.create(nodes.get(i).ready()));
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
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
    List<String> lines = new ArrayList<>();
    lines.add("nucleusmem.store.engine = tikv");
    lines.add("nucleusmem.store.tikv.key-prefix = " + prefix);
    lines.add("nucleusmem.store.tikv.pd-endpoints = [" + quoted(List.of(pd.split(","))) + "]");
    lines.add("nucleusmem.store.tikv.connect-timeout = 2m");
    lines.add("nucleusmem.node.store-timeout = 2m");
    lines.add("nucleusmem.node.join-timeout = 3m");
    // only the first of its list forms a cluster, so a node that comes back names itself last
    List<String> seeds = new ArrayList<>();
    int first = nodes.get(i) == null ? 0 : i + 1;
    for (int n = 0; n < count(); n++) {
      seeds.add(member((first + n) % count()));
    }
    lines.add("nucleusmem.node.seed-nodes = [" + quoted(seeds) + "]");
    lines.add("akka.remote.artery.canonical.port = " + artery[i]);
    lines.addAll(more);
    Path conf = dir.resolve("node-" + i + ".conf");
    Files.write(conf, lines);
    nodes.set(
        i,
        new BenchProcess(
            logback,
            "",
            NODE_READY,
            "io.nucleusmem.cli.NodeCommand",
            "--conf",
            conf.toString(),
            "--port",
            "0"));
  }

  private static String quoted(List<String> texts) {
    return texts.stream().collect(Collectors.joining("\", \"", "\"", "\""));
  }

  int count() {
    return artery.length;
  }

  /** The host and port by which the cluster knows a node. */
  String member(int i) {
    return "akka://nucleusmem@127.0.0.1:" + artery[i];
  }

  BenchProcess node(int i) {
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
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** {@code kill -9}; clients go elsewhere. */
  void kill(int i) {
    addresses.set(i, null);
    nodes.get(i).close();
  }

  /** Takes its processor time away, as if it hung; clients go elsewhere. */
  void hang(int i) {
    addresses.set(i, null);
    nodes.get(i).signal("STOP");
  }

  /** Starts a node again, on the same address, and waits until it is ready. */
  void restart(int i) throws IOException {
    nodes.get(i).close();
    begin(i);
    addresses.set(i, URI.create(nodes.get(i).ready()));
  }

  @Override
  public void close() {
    for (int i = 0; i < count(); i++) {
      if (nodes.get(i) != null) {
        nodes.get(i).close();
      }
    }
    if (store != null) {
      store.close();
    }
  }
}
