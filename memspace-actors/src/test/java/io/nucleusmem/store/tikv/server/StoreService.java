package io.nucleusmem.store.tikv.server;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tikv.kvproto.Kvrpcpb.BatchGetRequest;
import org.tikv.kvproto.Kvrpcpb.BatchGetResponse;
import org.tikv.kvproto.Kvrpcpb.BatchRollbackRequest;
import org.tikv.kvproto.Kvrpcpb.BatchRollbackResponse;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusRequest;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusResponse;
import org.tikv.kvproto.Kvrpcpb.CleanupRequest;
import org.tikv.kvproto.Kvrpcpb.CleanupResponse;
import org.tikv.kvproto.Kvrpcpb.CommitRequest;
import org.tikv.kvproto.Kvrpcpb.CommitResponse;
import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.kvproto.Kvrpcpb.DeleteRangeRequest;
import org.tikv.kvproto.Kvrpcpb.DeleteRangeResponse;
import org.tikv.kvproto.Kvrpcpb.GetRequest;
import org.tikv.kvproto.Kvrpcpb.GetResponse;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;
import org.tikv.kvproto.Kvrpcpb.PrewriteResponse;
import org.tikv.kvproto.Kvrpcpb.RawGetRequest;
import org.tikv.kvproto.Kvrpcpb.RawGetResponse;
import org.tikv.kvproto.Kvrpcpb.ResolveLockRequest;
import org.tikv.kvproto.Kvrpcpb.ResolveLockResponse;
import org.tikv.kvproto.Kvrpcpb.ScanLockRequest;
import org.tikv.kvproto.Kvrpcpb.ScanLockResponse;
import org.tikv.kvproto.Kvrpcpb.ScanRequest;
import org.tikv.kvproto.Kvrpcpb.ScanResponse;
import org.tikv.kvproto.Kvrpcpb.SplitRegionRequest;
import org.tikv.kvproto.Kvrpcpb.SplitRegionResponse;
import org.tikv.kvproto.Kvrpcpb.TxnHeartBeatRequest;
import org.tikv.kvproto.Kvrpcpb.TxnHeartBeatResponse;
import org.tikv.kvproto.Kvrpcpb.TxnInfo;
import org.tikv.kvproto.TikvGrpc;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.com.google.protobuf.Message;
import org.tikv.shade.io.grpc.stub.StreamObserver;

/**
 * One store's side of the TiKV protocol, optimistic transactions only. All stores of a cluster
 * share one {@link Mvcc}, as if replication took no time; each has its own {@link MaxTs}.
 */
final class StoreService extends TikvGrpc.TikvImplBase {
  private static final int RAFT_ENTRY_BYTES_MAX = 8 << 20; // TiKV's raftstore.raft-entry-max-size

  private final long store;
  private final Regions regions;
  private final Mvcc mvcc;
  private final MaxTs maxTs;
  private final Faults faults;
  private final Requests requests;
  private final SnapshotReads reads;
  private final Transactions transactions;

  StoreService(
      long store, Regions regions, Mvcc mvcc, MaxTs maxTs, Faults faults, Requests requests) {
    this.store = store;
    this.regions = regions;
    this.mvcc = mvcc;
    this.maxTs = maxTs;
    this.faults = faults;
    this.requests = requests;
    this.reads = new SnapshotReads(mvcc, maxTs);
    this.transactions = new Transactions(mvcc, maxTs);
  }

  private <R extends Message> void serve(
      RequestKind kind,
      Message request,
      Context context,
      StreamObserver<R> out,
      R empty,
      StoreCall.Work<R> work) {
    requests.add(kind, request);
    StoreCall.Work<R> counted =
        region -> {
          R answer = work.run(region);
          if (mvcc.takeWritten()) {
            requests.wrote(request);
          }
          return answer;
        };
    faults.handle(new StoreCall<>(kind, store, request, context, regions, empty, out, counted));
  }

  private static void checkInside(Region region, Iterable<ByteString> keys) throws RegionFailure {
    for (ByteString key : keys) {
      if (!region.contains(key)) {
        throw new RegionFailure(RegionErrors.keyNotInRegion(key, region));
      }
    }
  }

  @Override
  public void kvGet(GetRequest request, StreamObserver<GetResponse> out) {
    serve(
        RequestKind.GET,
        request,
        request.getContext(),
        out,
        GetResponse.getDefaultInstance(),
        region -> {
          checkInside(region, List.of(request.getKey()));
          return reads
              .get(request.getKey(), request.getVersion(), request.getContext())
              .map(value -> GetResponse.newBuilder().setValue(value).build())
              .orElseGet(() -> GetResponse.newBuilder().setNotFound(true).build());
        });
  }

  @Override
  public void kvBatchGet(BatchGetRequest request, StreamObserver<BatchGetResponse> out) {
    serve(
        RequestKind.BATCH_GET,
        request,
        request.getContext(),
        out,
        BatchGetResponse.getDefaultInstance(),
        region -> {
          checkInside(region, request.getKeysList());
          return BatchGetResponse.newBuilder()
              .addAllPairs(
                  reads.batchGet(request.getKeysList(), request.getVersion(), request.getContext()))
              .build();
        });
  }

  @Override
  public void kvScan(ScanRequest request, StreamObserver<ScanResponse> out) {
    serve(
        RequestKind.SCAN,
        request,
        request.getContext(),
        out,
        ScanResponse.getDefaultInstance(),
        region -> {
          // Where the scan begins must be in the region; how far it goes, the region limits.
          if (!region.mayBeSought(request.getStartKey())) {
            throw new RegionFailure(RegionErrors.keyNotInRegion(request.getStartKey(), region));
          }
          ByteString from = request.getReverse() ? request.getEndKey() : request.getStartKey();
          ByteString to = request.getReverse() ? request.getStartKey() : request.getEndKey();
          if (request.getReverse() && to.isEmpty()) {
            return ScanResponse.getDefaultInstance(); // here it is a key: nothing is before it
          }
          return ScanResponse.newBuilder()
              .addAllPairs(
                  reads.scan(request, later(from, region.start()), earlier(to, region.end())))
              .build();
        });
  }

  @Override
  public void kvPrewrite(PrewriteRequest request, StreamObserver<PrewriteResponse> out) {
    serve(
        RequestKind.PREWRITE,
        request,
        request.getContext(),
        out,
        PrewriteResponse.getDefaultInstance(),
        region -> {
          if (request.getForUpdateTs() != 0) {
            throw new IllegalArgumentException("pessimistic transactions are not served");
          }
          if (request.getSerializedSize() > RAFT_ENTRY_BYTES_MAX) {
            throw new RegionFailure(
                RegionErrors.raftEntryTooLarge(region.id(), request.getSerializedSize()));
          }
          checkInside(region, request.getMutationsList().stream().map(Mutation::getKey).toList());
          return new Prewrite(mvcc, maxTs, request).run();
        });
  }

  @Override
  public void kvCommit(CommitRequest request, StreamObserver<CommitResponse> out) {
    serve(
        RequestKind.COMMIT,
        request,
        request.getContext(),
        out,
        CommitResponse.getDefaultInstance(),
        region -> {
          checkInside(region, request.getKeysList());
          transactions.commit(
              request.getKeysList(), request.getStartVersion(), request.getCommitVersion());
          return CommitResponse.newBuilder().setCommitVersion(request.getCommitVersion()).build();
        });
  }

  @Override
  public void kvBatchRollback(
      BatchRollbackRequest request, StreamObserver<BatchRollbackResponse> out) {
    serve(
        RequestKind.BATCH_ROLLBACK,
        request,
        request.getContext(),
        out,
        BatchRollbackResponse.getDefaultInstance(),
        region -> {
          checkInside(region, request.getKeysList());
          transactions.rollback(request.getKeysList(), request.getStartVersion());
          return BatchRollbackResponse.getDefaultInstance();
        });
  }

  @Override
  public void kvCleanup(CleanupRequest request, StreamObserver<CleanupResponse> out) {
    serve(
        RequestKind.CLEANUP,
        request,
        request.getContext(),
        out,
        CleanupResponse.getDefaultInstance(),
        region -> {
          checkInside(region, List.of(request.getKey()));
          try {
            transactions.cleanup(
                request.getKey(), request.getStartVersion(), request.getCurrentTs());
          } catch (KeyFailure failure) {
            if (failure.commitTs() == 0) {
              throw failure;
            }
            return CleanupResponse.newBuilder().setCommitVersion(failure.commitTs()).build();
          }
          return CleanupResponse.getDefaultInstance();
        });
  }

  @Override
  public void kvCheckTxnStatus(
      CheckTxnStatusRequest request, StreamObserver<CheckTxnStatusResponse> out) {
    serve(
        RequestKind.CHECK_TXN_STATUS,
        request,
        request.getContext(),
        out,
        CheckTxnStatusResponse.getDefaultInstance(),
        region -> {
          checkInside(region, List.of(request.getPrimaryKey()));
          return transactions.check(request);
        });
  }

  @Override
  public void kvResolveLock(ResolveLockRequest request, StreamObserver<ResolveLockResponse> out) {
    serve(
        RequestKind.RESOLVE_LOCK,
        request,
        request.getContext(),
        out,
        ResolveLockResponse.getDefaultInstance(),
        region -> {
          if (request.getKeysCount() > 0) {
            checkInside(region, request.getKeysList());
            transactions.end(
                request.getKeysList(), request.getStartVersion(), request.getCommitVersion());
          } else {
            transactions.resolve(ends(request), region.start(), region.end());
          }
          return ResolveLockResponse.getDefaultInstance();
        });
  }

  private static Map<Long, Long> ends(ResolveLockRequest request) {
    Map<Long, Long> ends = new HashMap<>();
    for (TxnInfo txn : request.getTxnInfosList()) {
      ends.put(txn.getTxn(), txn.getStatus());
    }
    if (ends.isEmpty()) {
      ends.put(request.getStartVersion(), request.getCommitVersion());
    }
    return ends;
  }

  @Override
  public void kvTxnHeartBeat(
      TxnHeartBeatRequest request, StreamObserver<TxnHeartBeatResponse> out) {
    serve(
        RequestKind.TXN_HEART_BEAT,
        request,
        request.getContext(),
        out,
        TxnHeartBeatResponse.getDefaultInstance(),
        region -> {
          checkInside(region, List.of(request.getPrimaryLock()));
          long ttl =
              transactions.heartBeat(
                  request.getPrimaryLock(), request.getStartVersion(), request.getAdviseLockTtl());
          return TxnHeartBeatResponse.newBuilder().setLockTtl(ttl).build();
        });
  }

  @Override
  public void kvScanLock(ScanLockRequest request, StreamObserver<ScanLockResponse> out) {
    serve(
        RequestKind.SCAN_LOCK,
        request,
        request.getContext(),
        out,
        ScanLockResponse.getDefaultInstance(),
        region ->
            ScanLockResponse.newBuilder()
                .addAllLocks(
                    transactions.scanLocks(
                        request.getMaxVersion(),
                        later(request.getStartKey(), region.start()),
                        earlier(request.getEndKey(), region.end()),
                        request.getLimit()))
                .build());
  }

  @Override
  public void kvDeleteRange(DeleteRangeRequest request, StreamObserver<DeleteRangeResponse> out) {
    serve(
        RequestKind.DELETE_RANGE,
        request,
        request.getContext(),
        out,
        DeleteRangeResponse.getDefaultInstance(),
        region -> {
          mvcc.range(
                  later(request.getStartKey(), region.start()),
                  earlier(request.getEndKey(), region.end()))
              .clear();
          return DeleteRangeResponse.getDefaultInstance();
        });
  }

  @Override
  public void splitRegion(SplitRegionRequest request, StreamObserver<SplitRegionResponse> out) {
    serve(
        RequestKind.SPLIT_REGION,
        request,
        request.getContext(),
        out,
        SplitRegionResponse.getDefaultInstance(),
        region -> {
          checkInside(region, request.getSplitKeysList());
          request.getSplitKeysList().stream().sorted(RegionKey.ORDER).forEach(regions::split);
          return SplitRegionResponse.newBuilder()
              .addAllRegions(
                  regions.between(region.start(), region.end()).stream().map(Region::meta).toList())
              .build();
        });
  }

  /** The client asks followers for any raw key, to find out whether they live. */
  @Override
  public void rawGet(RawGetRequest request, StreamObserver<RawGetResponse> out) {
    serve(
        RequestKind.RAW_GET,
        request,
        request.getContext(),
        out,
        RawGetResponse.getDefaultInstance(),
        region -> RawGetResponse.newBuilder().setNotFound(true).build());
  }

  private static ByteString later(ByteString a, ByteString b) {
    return RegionKey.ORDER.compare(a, b) >= 0 ? a : b;
  }

  private static ByteString earlier(ByteString end, ByteString otherEnd) {
    if (end.isEmpty() || otherEnd.isEmpty()) {
      return end.isEmpty() ? otherEnd : end;
    }
    return RegionKey.ORDER.compare(end, otherEnd) <= 0 ? end : otherEnd;
  }
}
