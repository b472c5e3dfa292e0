package io.nucleusmem.store.tikv.server;

import java.util.List;
import org.tikv.kvproto.Kvrpcpb.BatchRollbackRequest;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusRequest;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusResponse;
import org.tikv.kvproto.Kvrpcpb.CommitRequest;
import org.tikv.kvproto.Kvrpcpb.CommitResponse;
import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.kvproto.Kvrpcpb.GetRequest;
import org.tikv.kvproto.Kvrpcpb.GetResponse;
import org.tikv.kvproto.Kvrpcpb.KeyError;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.Op;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;
import org.tikv.kvproto.Kvrpcpb.PrewriteResponse;
import org.tikv.kvproto.Kvrpcpb.ScanRequest;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb.GetRegionRequest;
import org.tikv.kvproto.Pdpb.GetRegionResponse;
import org.tikv.kvproto.Pdpb.GetStoreRequest;
import org.tikv.kvproto.Pdpb.RequestHeader;
import org.tikv.kvproto.TikvGrpc;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.io.grpc.ManagedChannel;
import org.tikv.shade.io.grpc.netty.NettyChannelBuilder;

/** The protocol with nothing in between: one request, one answer, no cache, no retry. */
final class RawClient implements AutoCloseable {
  static final long TTL_MILLIS = 3_000;

  private final ManagedChannel pdChannel;
  private final ManagedChannel storeChannel;
  final PDGrpc.PDBlockingStub pd;
  final TikvGrpc.TikvBlockingStub store;

  RawClient(TikvTestCluster cluster) {
    this(cluster, 1);
  }

  RawClient(TikvTestCluster cluster, long storeNumber) {
    pdChannel = channel(cluster.pdAddresses().split(",")[0]);
    pd = PDGrpc.newBlockingStub(pdChannel);
    var request = GetStoreRequest.newBuilder().setHeader(header()).setStoreId(storeNumber);
    storeChannel = channel(pd.getStore(request.build()).getStore().getAddress());
    store = TikvGrpc.newBlockingStub(storeChannel);
  }

  static ManagedChannel channel(String address) {
    return NettyChannelBuilder.forTarget(address).usePlaintext().build();
  }

  static RequestHeader header() {
    return RequestHeader.newBuilder().setClusterId(PdState.CLUSTER_ID).build();
  }

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  GetRegionResponse region(String key) {
    return pd.getRegion(
        GetRegionRequest.newBuilder()
            .setHeader(header())
            .setRegionKey(RegionKey.encode(bytes(key)))
            .build());
  }

  /** The right address for a key, asked of PD. */
  Context context(String key) {
    GetRegionResponse found = region(key);
    return Context.newBuilder()
        .setRegionId(found.getRegion().getId())
        .setRegionEpoch(found.getRegion().getRegionEpoch())
        .setPeer(found.getLeader())
        .build();
  }

  static Mutation.Builder mutation(Op op, String key, String value) {
    return Mutation.newBuilder().setOp(op).setKey(bytes(key)).setValue(bytes(value));
  }

  /** A request whose first mutation is the primary. */
  PrewriteRequest.Builder prewrite(long startTs, Mutation.Builder... mutations) {
    var request = PrewriteRequest.newBuilder();
    for (Mutation.Builder each : mutations) {
      request.addMutations(each);
    }
    ByteString primary = request.getMutations(0).getKey();
    return request
        .setContext(context(primary.toStringUtf8()))
        .setPrimaryLock(primary)
        .setStartVersion(startTs)
        .setLockTtl(TTL_MILLIS)
        .setMinCommitTs(startTs + 1)
        .setTxnSize(mutations.length);
  }

  PrewriteResponse send(PrewriteRequest.Builder request) {
    return store.kvPrewrite(request.build());
  }

  /** Puts one key in one phase. Answers the commit timestamp. */
  long put(TikvTestCluster cluster, String key, String value) {
    PrewriteResponse answer =
        send(prewrite(cluster.timestamp(), mutation(Op.Put, key, value)).setTryOnePc(true));
    if (answer.getOnePcCommitTs() == 0) {
      throw new AssertionError(answer.toString());
    }
    return answer.getOnePcCommitTs();
  }

  CommitResponse commit(long startTs, long commitTs, String... keys) {
    return store.kvCommit(
        CommitRequest.newBuilder()
            .setContext(context(keys[0]))
            .setStartVersion(startTs)
            .setCommitVersion(commitTs)
            .addAllKeys(List.of(keys).stream().map(RawClient::bytes).toList())
            .build());
  }

  KeyError rollback(long startTs, String... keys) {
    return store
        .kvBatchRollback(
            BatchRollbackRequest.newBuilder()
                .setContext(context(keys[0]))
                .setStartVersion(startTs)
                .addAllKeys(List.of(keys).stream().map(RawClient::bytes).toList())
                .build())
        .getError();
  }

  GetResponse get(String key, long ts) {
    return store.kvGet(getRequest(key, ts).build());
  }

  GetRequest.Builder getRequest(String key, long ts) {
    return GetRequest.newBuilder().setContext(context(key)).setKey(bytes(key)).setVersion(ts);
  }

  CheckTxnStatusResponse check(CheckTxnStatusRequest.Builder request) {
    return store.kvCheckTxnStatus(
        request.setContext(context(request.getPrimaryKey().toStringUtf8())).build());
  }

  /**
   * In the region of the start key; {@code key=value} for each pair, {@code locked key} for errors.
   */
  List<String> scan(ScanRequest.Builder request) {
    return store
        .kvScan(request.setContext(context(request.getStartKey().toStringUtf8())).build())
        .getPairsList()
        .stream()
        .map(RawClient::show)
        .toList();
  }

  private static String show(KvPair pair) {
    return pair.hasError()
        ? "locked " + pair.getError().getLocked().getKey().toStringUtf8()
        : pair.getKey().toStringUtf8() + "=" + pair.getValue().toStringUtf8();
  }

  @Override
  public void close() {
    pdChannel.shutdownNow();
    storeChannel.shutdownNow();
  }
}
