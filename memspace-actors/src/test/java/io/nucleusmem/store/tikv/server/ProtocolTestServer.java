package io.nucleusmem.store.tikv.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The test double as a process, for trying a cluster where there is no TiKV. Keeps everything in
 * memory and for ever: what it holds is gone when it ends. Ends with SIGTERM.
 */
public final class ProtocolTestServer {
  private static final Logger LOG = LoggerFactory.getLogger(ProtocolTestServer.class);
  private static final int STORES = 3;

  private ProtocolTestServer() {}

  /**
   * @param args the port of PD on 127.0.0.1; any that is free if there is none
   */
  public static void main(String[] args) throws InterruptedException {
    int port = args.length == 0 ? 0 : Integer.parseInt(args[0]);
    try (TikvTestCluster cluster = TikvTestCluster.start(port, STORES, 1)) {
      LOG.info(
          "TiKV protocol test server (not TiKV; in memory only): pd-endpoints {}",
          cluster.pdAddresses());
      Thread.currentThread().join();
    }
  }
}
