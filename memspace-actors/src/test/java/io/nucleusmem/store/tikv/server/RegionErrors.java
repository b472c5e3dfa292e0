package io.nucleusmem.store.tikv.server;

import java.util.Optional;
import org.tikv.kvproto.Errorpb;
import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.shade.com.google.protobuf.ByteString;

/** What a store answers when it is not the one to ask. */
final class RegionErrors {
  private RegionErrors() {}

  /** The first thing wrong with the address of a request, in the order of TiKV's own checks. */
  static Optional<Errorpb.Error> of(Context context, long store, Regions regions) {
    long asked = context.getPeer().getStoreId();
    if (asked != store) {
      return Optional.of(
          Errorpb.Error.newBuilder()
              .setMessage("to store id %d, mine %d".formatted(asked, store))
              .setStoreNotMatch(
                  Errorpb.StoreNotMatch.newBuilder()
                      .setRequestStoreId(asked)
                      .setActualStoreId(store))
              .build());
    }
    Optional<Region> found = regions.byId(context.getRegionId());
    if (found.isEmpty() || !found.get().stores().contains(store)) {
      return Optional.of(regionNotFound(context.getRegionId()));
    }
    Region region = found.get();
    if (region.leader() != store) {
      return Optional.of(notLeader(region, region.leader()));
    }
    if (context.getRegionEpoch().getVersion() != region.version()) {
      return Optional.of(epochNotMatch(region));
    }
    return Optional.empty();
  }

  static Errorpb.Error regionNotFound(long region) {
    return Errorpb.Error.newBuilder()
        .setMessage("region " + region + " is not found")
        .setRegionNotFound(Errorpb.RegionNotFound.newBuilder().setRegionId(region))
        .build();
  }

  /**
   * @param leader store that leads; 0: not known
   */
  static Errorpb.Error notLeader(Region region, long leader) {
    var detail = Errorpb.NotLeader.newBuilder().setRegionId(region.id());
    if (leader != 0) {
      detail.setLeader(region.peer(leader));
    }
    return Errorpb.Error.newBuilder()
        .setMessage("peer is not leader for region " + region.id())
        .setNotLeader(detail)
        .build();
  }

  static Errorpb.Error epochNotMatch(Region current) {
    return Errorpb.Error.newBuilder()
        .setMessage("EpochNotMatch current version of region is " + current.version())
        .setEpochNotMatch(Errorpb.EpochNotMatch.newBuilder().addCurrentRegions(current.meta()))
        .build();
  }

  static Errorpb.Error keyNotInRegion(ByteString key, Region region) {
    return Errorpb.Error.newBuilder()
        .setMessage("key is not in region " + region.id())
        .setKeyNotInRegion(
            Errorpb.KeyNotInRegion.newBuilder()
                .setKey(key)
                .setRegionId(region.id())
                .setStartKey(region.start())
                .setEndKey(region.end()))
        .build();
  }

  static Errorpb.Error raftEntryTooLarge(long region, long bytes) {
    return Errorpb.Error.newBuilder()
        .setMessage("raft entry is too large, region %d, entry size %d".formatted(region, bytes))
        .setRaftEntryTooLarge(
            Errorpb.RaftEntryTooLarge.newBuilder().setRegionId(region).setEntrySize(bytes))
        .build();
  }
}
