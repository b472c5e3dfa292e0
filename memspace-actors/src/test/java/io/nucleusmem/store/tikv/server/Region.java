package io.nucleusmem.store.tikv.server;

import java.util.List;
import org.tikv.kvproto.Metapb;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * A range of keys with its replicas, as of one epoch.
 *
 * @param start plain key, inclusive; empty: the first
 * @param end plain key, exclusive; empty: no bound
 * @param version rises with every split and merge
 * @param stores which stores hold a peer
 * @param leader the store whose peer leads; 0: none at the moment
 */
record Region(
    long id,
    ByteString start,
    ByteString end,
    long version,
    long confVersion,
    List<Long> stores,
    long leader) {

  private static final long PEERS_PER_REGION = 1_000;

  boolean contains(ByteString key) {
    return RegionKey.ORDER.compare(start, key) <= 0
        && (end.isEmpty() || RegionKey.ORDER.compare(key, end) < 0);
  }

  /** As {@link #contains}, or the end itself: where a seek may begin. */
  boolean mayBeSought(ByteString key) {
    return contains(key) || !end.isEmpty() && key.equals(end);
  }

  Metapb.Peer peer(long store) {
    return Metapb.Peer.newBuilder().setId(id * PEERS_PER_REGION + store).setStoreId(store).build();
  }

  Metapb.Region meta() {
    return Metapb.Region.newBuilder()
        .setId(id)
        .setStartKey(RegionKey.encode(start))
        .setEndKey(RegionKey.encode(end))
        .setRegionEpoch(Metapb.RegionEpoch.newBuilder().setVersion(version).setConfVer(confVersion))
        .addAllPeers(stores.stream().map(this::peer).toList())
        .build();
  }

  Region withLeader(long store) {
    return new Region(id, start, end, version, confVersion, stores, store);
  }

  Region withRange(long newId, ByteString from, ByteString to, long newVersion) {
    return new Region(newId, from, to, newVersion, confVersion, stores, leader);
  }
}
