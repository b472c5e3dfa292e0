package io.nucleusmem.store.tikv.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.tikv.kvproto.Kvrpcpb.LockInfo;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.io.grpc.BindableService;
import org.tikv.shade.io.grpc.Server;
import org.tikv.shade.io.grpc.netty.GrpcSslContexts;
import org.tikv.shade.io.grpc.netty.NettyServerBuilder;
import org.tikv.shade.io.grpc.protobuf.services.HealthStatusManager;
import org.tikv.shade.io.netty.handler.ssl.ClientAuth;
import org.tikv.shade.io.netty.handler.ssl.SslContext;
import org.tikv.shade.io.netty.handler.ssl.SslContextBuilder;

/**
 * A test double of a TiKV cluster: PD and stores, each a gRPC server on this machine's loopback
 * address, in this process, in memory. Written after TiKV's and PD's sources, for optimistic
 * transactions; it is not TiKV, and knows neither disks nor Raft.
 *
 * <p>Stores are numbered from 1, and every region has a peer on each. At the start there is one
 * region, led by store 1. What is wanted to go wrong is armed with {@link #faults()}.
 */
public final class TikvTestCluster implements AutoCloseable {
  private static final int MESSAGE_BYTES_MAX = 64 << 20;
  private static final int THREADS = 4;
  private static final long FIRST_MEMBER = 101;

  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final Faults faults = new Faults();
  private final Requests requests = new Requests();
  private final Mvcc mvcc = new Mvcc();
  private final Map<Long, MaxTs> maxTs = new TreeMap<>();
  private final Map<Long, Server> stores = new TreeMap<>();
  private final Map<Long, Integer> storePorts = new TreeMap<>();
  private final List<Server> pds = new ArrayList<>();
  private final Regions regions;
  private final PdState pd;
  private final Optional<SslContext> tls;
  private int firstPdPort;

  private TikvTestCluster(
      int pdPort, int storeCount, int pdCount, LongSupplier clock, Optional<SslContext> tls) {
    this.tls = tls;
    regions = new Regions(LongStream.rangeClosed(1, storeCount).boxed().toList());
    pd = new PdState(regions, clock);
    for (long store = 1; store <= storeCount; store++) {
      maxTs.put(store, new MaxTs());
      storePorts.put(store, 0);
      startStore(store);
      pd.addStore(store, "127.0.0.1:" + storePorts.get(store));
    }
    for (int i = 0; i < pdCount; i++) {
      long member = FIRST_MEMBER + i;
      Server server = start(i == 0 ? pdPort : 0, new PdService(member, pd, faults, requests));
      pds.add(server);
      pd.addMember(
          member, (tls.isPresent() ? "https" : "http") + "://127.0.0.1:" + server.getPort());
    }
  }

  /** One store, one PD. */
  public static TikvTestCluster start() {
    return start(1, 1);
  }

  public static TikvTestCluster start(int stores, int pdMembers) {
    return start(0, stores, pdMembers);
  }

  /**
   * @param pdPort of the first PD member; 0: any that is free
   */
  public static TikvTestCluster start(int pdPort, int stores, int pdMembers) {
    return new TikvTestCluster(
        pdPort, stores, pdMembers, System::currentTimeMillis, Optional.empty());
  }

  /**
   * One PD, by a clock of the test's.
   *
   * @param clock in milliseconds since 1970
   */
  public static TikvTestCluster start(int stores, LongSupplier clock) {
    return new TikvTestCluster(0, stores, 1, clock, Optional.empty());
  }

  /**
   * One store, one PD, on TLS.
   *
   * @param clientCa who must have signed the clients' certificates; null: none is asked for
   */
  public static TikvTestCluster startTls(Path certificate, Path key, Path clientCa)
      throws IOException {
    SslContextBuilder context = GrpcSslContexts.forServer(certificate.toFile(), key.toFile());
    if (clientCa != null) {
      context.trustManager(clientCa.toFile()).clientAuth(ClientAuth.REQUIRE);
    }
    return new TikvTestCluster(0, 1, 1, System::currentTimeMillis, Optional.of(context.build()));
  }

  private Server start(int port, BindableService service) {
    try {
      NettyServerBuilder builder =
          NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port));
      tls.ifPresent(builder::sslContext);
      return builder
          .executor(threads)
          .maxInboundMessageSize(MESSAGE_BYTES_MAX)
          .addService(service)
          .addService(new HealthStatusManager().getHealthService())
          .build()
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on 127.0.0.1:" + port, e);
    }
  }

  /** What a client is configured with: {@code host:port}, comma separated. */
  public String pdAddresses() {
    return String.join(",", pds.stream().map(s -> "127.0.0.1:" + s.getPort()).toList());
  }

  public Faults faults() {
    return faults;
  }

  public Requests requests() {
    return requests;
  }

  /** What all stores say of their version. */
  public void version(String version) {
    pd.version(version);
  }

  /** A fresh timestamp, as PD gives it. */
  public long timestamp() {
    return pd.oracle.next(1);
  }

  /** Puts PD's clock forward, so that locks and service safe points expire without waiting. */
  public void advanceClock(Duration duration) {
    pd.oracle.advance(duration);
  }

  /** Cuts a region in two; the key begins the right one. */
  public void split(byte[] key) {
    regions.split(ByteString.copyFrom(key));
  }

  /** Joins the region that holds the key with its right neighbour. */
  public void mergeWithNext(byte[] key) {
    regions.mergeWithNext(ByteString.copyFrom(key));
    syncMaxTs();
  }

  /**
   * Makes another store lead the region that holds the key.
   *
   * @param store 0: none leads, as during an election
   */
  public void moveLeader(byte[] key, long store) {
    regions.moveLeader(ByteString.copyFrom(key), store);
    syncMaxTs();
  }

  // A new leader does not know what the old one has answered, so it starts from PD's time.
  private void syncMaxTs() {
    long now = timestamp();
    maxTs.values().forEach(each -> each.raise(now));
  }

  /** Whether a region begins at the key: it can't be split there again. */
  public boolean beginsRegion(byte[] key) {
    return regions.at(ByteString.copyFrom(key)).start().equals(ByteString.copyFrom(key));
  }

  /** Whether the region that holds the key has no right neighbour. */
  public boolean isLastRegion(byte[] key) {
    return regions.at(ByteString.copyFrom(key)).end().isEmpty();
  }

  /** Number of the region that holds the key, and the store that leads it. */
  public long regionOf(byte[] key) {
    return regions.at(ByteString.copyFrom(key)).id();
  }

  /** See {@link #regionOf}. */
  public long leaderOf(byte[] key) {
    return regions.at(ByteString.copyFrom(key)).leader();
  }

  /** The next PD member leads; the others refuse everything but the list of members. */
  public void changePdLeader() {
    pd.electNext();
  }

  /** Ends PD's first member: connections break, new ones are refused. The others say it leads. */
  public void stopFirstPd() {
    firstPdPort = pds.get(0).getPort();
    shutDown(List.of(pds.remove(0)));
  }

  /** Starts PD's first member again, at its old address. */
  public void startFirstPd() {
    pds.add(0, start(firstPdPort, new PdService(FIRST_MEMBER, pd, faults, requests)));
  }

  /** Ends a store: connections break, new ones are refused. Its leaderships stay where they are. */
  public void stopStore(long store) {
    shutDown(List.of(stores.remove(store)));
  }

  /** Starts a store that was stopped, at its old address. */
  public void startStore(long store) {
    StoreService service =
        new StoreService(store, regions, mvcc, maxTs.get(store), faults, requests);
    Server server = start(storePorts.get(store), service);
    storePorts.put(store, server.getPort());
    stores.put(store, server);
  }

  /** The locks of all transactions that are neither committed nor rolled back. */
  public List<LockInfo> locks() {
    List<LockInfo> found = new ArrayList<>();
    synchronized (regions) {
      mvcc.forEach((key, history) -> history.lock().ifPresent(l -> found.add(l.info(key))));
    }
    return found;
  }

  /** How many records a key has: puts, deletes, locks and rollbacks. */
  public int versionsOf(byte[] key) {
    synchronized (regions) {
      return mvcc.peek(ByteString.copyFrom(key)).versions();
    }
  }

  /** Moves PD's safe point, as somebody else would. */
  public void moveSafePoint(long to) {
    pd.safePoints.advanceGcSafePoint(to);
  }

  /** Removes what PD's safe point gives free, as TiKV does in its own time. */
  public void collectGarbage() {
    synchronized (regions) {
      mvcc.collectGarbage(pd.safePoints.gcSafePoint());
    }
  }

  @Override
  public void close() {
    shutDown(pds);
    shutDown(stores.values());
    threads.shutdownNow();
  }

  private static void shutDown(Iterable<Server> servers) {
    servers.forEach(Server::shutdownNow);
    for (Server server : servers) {
      try {
        server.awaitTermination();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
