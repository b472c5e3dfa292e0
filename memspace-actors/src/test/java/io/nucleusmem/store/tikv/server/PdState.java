package io.nucleusmem.store.tikv.server;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;
import org.tikv.kvproto.Metapb;
import org.tikv.kvproto.Pdpb;

/** What all PD members know. */
final class PdState {
  static final long CLUSTER_ID = 7_001;

  /** Not empty, or the client takes the cluster for an ancient one. */
  static final String VERSION = "8.5.5";

  final Regions regions;
  final TimestampOracle oracle;
  final SafePoints safePoints = new SafePoints();
  final List<Metapb.Store> stores = new CopyOnWriteArrayList<>();
  final List<Pdpb.Member> members = new CopyOnWriteArrayList<>();
  private volatile int leader;

  PdState(Regions regions, LongSupplier clock) {
    this.regions = regions;
    this.oracle = new TimestampOracle(clock);
  }

  Pdpb.Member leader() {
    return members.get(leader);
  }

  void electNext() {
    leader = (leader + 1) % members.size();
  }

  /** What all stores say that they are. */
  void version(String version) {
    stores.replaceAll(store -> store.toBuilder().setVersion(version).build());
  }

  void addMember(long id, String url) {
    members.add(
        Pdpb.Member.newBuilder()
            .setName("pd-" + id)
            .setMemberId(id)
            .addClientUrls(url)
            .addPeerUrls(url)
            .setBinaryVersion(VERSION)
            .build());
  }

  void addStore(long id, String address) {
    stores.add(
        Metapb.Store.newBuilder()
            .setId(id)
            .setAddress(address)
            .setPeerAddress(address)
            .setState(Metapb.StoreState.Up)
            .setNodeState(Metapb.NodeState.Serving)
            .setVersion(VERSION)
            .build());
  }
}
