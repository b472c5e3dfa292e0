package io.nucleusmem.store.tikv;

import io.nucleusmem.store.TransientStoreException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.tikv.kvproto.Errorpb;
import org.tikv.kvproto.Metapb;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb.GetRegionRequest;
import org.tikv.kvproto.Pdpb.GetRegionResponse;
import org.tikv.kvproto.Pdpb.GetStoreRequest;
import org.tikv.kvproto.Pdpb.GetStoreResponse;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.io.grpc.MethodDescriptor;

/**
 * Which region holds a key and which store leads it: a cache of what PD said, corrected by what
 * stores answer. The client's own cache is not used: a miss in it blocks the caller, a failure of
 * PD is a null, and a store that does not answer makes it spin.
 */
final class Regions {
  private final Pd pd;
  private final ConcurrentSkipListMap<ByteString, Region> byStart =
      new ConcurrentSkipListMap<>(ByteString.unsignedLexicographicalComparator());
  private final Map<Long, String> addresses = new ConcurrentHashMap<>(); // of stores

  Regions(Pd pd) {
    this.pd = pd;
  }

  /** The region that holds a key. */
  CompletableFuture<Region> holding(ByteString key, Deadline deadline) {
    Map.Entry<ByteString, Region> known = byStart.floorEntry(key);
    return known != null && known.getValue().holds(key)
        ? CompletableFuture.completedFuture(known.getValue())
        : load(PDGrpc.getGetRegionMethod(), key, deadline);
  }

  /** The region that holds the largest keys in front of a key. */
  CompletableFuture<Region> before(ByteString key, Deadline deadline) {
    Map.Entry<ByteString, Region> known = byStart.lowerEntry(key);
    if (known != null) {
      Region region = known.getValue();
      if (region.end().isEmpty() || Keys.compare(key, region.end()) <= 0) {
        return CompletableFuture.completedFuture(region);
      }
    }
    return load(PDGrpc.getGetRegionMethod(), key, deadline)
        .thenCompose(
            region ->
                region.start().equals(key)
                    ? load(PDGrpc.getGetPrevRegionMethod(), key, deadline)
                    : CompletableFuture.completedFuture(region));
  }

  private CompletableFuture<Region> load(
      MethodDescriptor<GetRegionRequest, GetRegionResponse> method,
      ByteString key,
      Deadline deadline) {
    return pd.call(
            method,
            header ->
                GetRegionRequest.newBuilder()
                    .setHeader(header)
                    .setRegionKey(RegionKeys.encode(key))
                    .build(),
            GetRegionResponse::getHeader,
            deadline)
        .thenCompose(
            answer -> {
              if (answer.getRegion().getPeersCount() == 0) {
                throw new TransientStoreException("PD knows no region of the key");
              }
              Metapb.Peer leader =
                  answer.getLeader().getStoreId() == 0
                      ? answer.getRegion().getPeers(0) // nobody leads now: it will tell who does
                      : answer.getLeader();
              return learn(answer.getRegion(), leader, deadline);
            });
  }

  private CompletableFuture<Region> learn(
      Metapb.Region meta, Metapb.Peer leader, Deadline deadline) {
    return address(leader.getStoreId(), deadline)
        .thenApply(
            address -> {
              Region region =
                  new Region(
                      meta,
                      RegionKeys.decode(meta.getStartKey()),
                      RegionKeys.decode(meta.getEndKey()),
                      leader,
                      address);
              byStart.put(region.start(), region);
              return region;
            });
  }

  private CompletableFuture<String> address(long store, Deadline deadline) {
    String known = addresses.get(store);
    return known != null
        ? CompletableFuture.completedFuture(known)
        : pd.call(
                PDGrpc.getGetStoreMethod(),
                header -> GetStoreRequest.newBuilder().setHeader(header).setStoreId(store).build(),
                GetStoreResponse::getHeader,
                deadline)
            .thenApply(
                answer -> {
                  addresses.put(store, answer.getStore().getAddress());
                  return answer.getStore().getAddress();
                });
  }

  /** A store did not answer: it may have moved, and the region with it. */
  void unreachable(Region region) {
    byStart.remove(region.start(), region);
    addresses.remove(region.leader().getStoreId());
  }

  /** A store refused: what it says of the region, or how to find out. */
  CompletableFuture<Void> refused(Region region, Errorpb.Error error, Deadline deadline) {
    byStart.remove(region.start(), region);
    if (error.hasNotLeader() && error.getNotLeader().getLeader().getStoreId() != 0) {
      return learn(region.meta(), error.getNotLeader().getLeader(), deadline)
          .thenAccept(learned -> {});
    }
    // epochs, merges and the rest: PD knows, and the stores tell it at once
    return CompletableFuture.completedFuture(null);
  }
}
