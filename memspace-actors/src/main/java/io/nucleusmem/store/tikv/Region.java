package io.nucleusmem.store.tikv;

import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.kvproto.Metapb;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * A region of TiKV as it was last seen.
 *
 * @param start its first key
 * @param end first key behind it; empty for the end of the world
 * @param leader the peer that leads it
 * @param address of the store with that peer
 */
record Region(
    Metapb.Region meta, ByteString start, ByteString end, Metapb.Peer leader, String address) {

  long id() {
    return meta.getId();
  }

  boolean holds(ByteString key) {
    return Keys.compare(key, start) >= 0 && (end.isEmpty() || Keys.compare(key, end) < 0);
  }

  /** How a request to it is addressed. */
  Context.Builder context() {
    return Context.newBuilder()
        .setRegionId(meta.getId())
        .setRegionEpoch(meta.getRegionEpoch())
        .setPeer(leader);
  }
}
