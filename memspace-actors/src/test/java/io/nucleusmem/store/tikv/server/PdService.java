package io.nucleusmem.store.tikv.server;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.tikv.kvproto.Errorpb;
import org.tikv.kvproto.Metapb;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb;
import org.tikv.kvproto.Pdpb.ErrorType;
import org.tikv.kvproto.Pdpb.GetAllStoresRequest;
import org.tikv.kvproto.Pdpb.GetAllStoresResponse;
import org.tikv.kvproto.Pdpb.GetClusterConfigRequest;
import org.tikv.kvproto.Pdpb.GetClusterConfigResponse;
import org.tikv.kvproto.Pdpb.GetGCSafePointRequest;
import org.tikv.kvproto.Pdpb.GetGCSafePointResponse;
import org.tikv.kvproto.Pdpb.GetMembersRequest;
import org.tikv.kvproto.Pdpb.GetMembersResponse;
import org.tikv.kvproto.Pdpb.GetOperatorRequest;
import org.tikv.kvproto.Pdpb.GetOperatorResponse;
import org.tikv.kvproto.Pdpb.GetRegionByIDRequest;
import org.tikv.kvproto.Pdpb.GetRegionRequest;
import org.tikv.kvproto.Pdpb.GetRegionResponse;
import org.tikv.kvproto.Pdpb.GetStoreRequest;
import org.tikv.kvproto.Pdpb.GetStoreResponse;
import org.tikv.kvproto.Pdpb.OperatorStatus;
import org.tikv.kvproto.Pdpb.RequestHeader;
import org.tikv.kvproto.Pdpb.ResponseHeader;
import org.tikv.kvproto.Pdpb.ScanRegionsRequest;
import org.tikv.kvproto.Pdpb.ScanRegionsResponse;
import org.tikv.kvproto.Pdpb.ScatterRegionRequest;
import org.tikv.kvproto.Pdpb.ScatterRegionResponse;
import org.tikv.kvproto.Pdpb.Timestamp;
import org.tikv.kvproto.Pdpb.TsoRequest;
import org.tikv.kvproto.Pdpb.TsoResponse;
import org.tikv.kvproto.Pdpb.UpdateGCSafePointRequest;
import org.tikv.kvproto.Pdpb.UpdateGCSafePointResponse;
import org.tikv.kvproto.Pdpb.UpdateServiceGCSafePointRequest;
import org.tikv.kvproto.Pdpb.UpdateServiceGCSafePointResponse;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.com.google.protobuf.Message;
import org.tikv.shade.io.grpc.Status;
import org.tikv.shade.io.grpc.stub.StreamObserver;

/** One member's side of the PD protocol. Region keys are memcomparable here. */
final class PdService extends PDGrpc.PDImplBase {
  private final long member;
  private final PdState pd;
  private final Faults faults;
  private final Requests requests;

  PdService(long member, PdState pd, Faults faults, Requests requests) {
    this.member = member;
    this.pd = pd;
    this.faults = faults;
    this.requests = requests;
  }

  private static ResponseHeader header() {
    return ResponseHeader.newBuilder().setClusterId(PdState.CLUSTER_ID).build();
  }

  private static ResponseHeader failed(ErrorType type, String message) {
    return header().toBuilder()
        .setError(Pdpb.Error.newBuilder().setType(type).setMessage(message))
        .build();
  }

  private <R> void serve(
      RequestKind kind,
      Message request,
      RequestHeader header,
      StreamObserver<R> out,
      Supplier<R> work) {
    requests.add(kind, request);
    faults.handle(
        new PdCall(kind, request, out) {
          @Override
          public Runnable apply() {
            Optional<Status> refusal = refusal(header);
            if (refusal.isPresent()) {
              return () -> fail(refusal.get());
            }
            R answer = work.get();
            return () -> {
              out.onNext(answer);
              if (kind != RequestKind.TSO) {
                out.onCompleted();
              }
            };
          }
        });
  }

  private Optional<Status> refusal(RequestHeader header) {
    if (pd.leader().getMemberId() != member) {
      return Optional.of(Status.UNAVAILABLE.withDescription("not leader"));
    }
    if (header.getClusterId() != PdState.CLUSTER_ID) {
      return Optional.of(
          Status.FAILED_PRECONDITION.withDescription(
              "mismatch cluster id, need %d but got %d"
                  .formatted(PdState.CLUSTER_ID, header.getClusterId())));
    }
    return Optional.empty();
  }

  private abstract static class PdCall implements Call {
    private final RequestKind kind;
    private final Message request;
    private final StreamObserver<?> out;

    PdCall(RequestKind kind, Message request, StreamObserver<?> out) {
      this.kind = kind;
      this.request = request;
      this.out = out;
    }

    @Override
    public RequestKind kind() {
      return kind;
    }

    @Override
    public long store() {
      return 0;
    }

    @Override
    public Message request() {
      return request;
    }

    @Override
    public void fail(Status status) {
      out.onError(status.asRuntimeException());
    }

    @Override
    public void refuse(Errorpb.Error error) {
      throw new IllegalStateException("PD has no region errors; armed for " + kind);
    }

    @Override
    public Region region() {
      throw new IllegalStateException("requests to PD name no region; armed for " + kind);
    }
  }

  /** Every member answers this one, whoever leads. */
  @Override
  public void getMembers(GetMembersRequest request, StreamObserver<GetMembersResponse> out) {
    requests.add(RequestKind.GET_MEMBERS, request);
    faults.handle(
        new PdCall(RequestKind.GET_MEMBERS, request, out) {
          @Override
          public Runnable apply() {
            GetMembersResponse answer =
                GetMembersResponse.newBuilder()
                    .setHeader(header())
                    .addAllMembers(pd.members)
                    .setLeader(pd.leader())
                    .setEtcdLeader(pd.leader())
                    .build();
            return () -> {
              out.onNext(answer);
              out.onCompleted();
            };
          }
        });
  }

  @Override
  public StreamObserver<TsoRequest> tso(StreamObserver<TsoResponse> out) {
    return new StreamObserver<>() {
      @Override
      public void onNext(TsoRequest request) {
        serve(
            RequestKind.TSO,
            request,
            request.getHeader(),
            out,
            () -> {
              long last = pd.oracle.next(request.getCount());
              return TsoResponse.newBuilder()
                  .setHeader(header())
                  .setCount(request.getCount())
                  .setTimestamp(
                      Timestamp.newBuilder()
                          .setPhysical(Ts.physical(last))
                          .setLogical(last & ((1L << Ts.LOGICAL_BITS) - 1)))
                  .build();
            });
      }

      @Override
      public void onError(Throwable cancelled) {
        // The client has gone; there is nothing to clean up.
      }

      @Override
      public void onCompleted() {
        out.onCompleted();
      }
    };
  }

  @Override
  public void getStore(GetStoreRequest request, StreamObserver<GetStoreResponse> out) {
    serve(
        RequestKind.GET_STORE,
        request,
        request.getHeader(),
        out,
        () ->
            pd.stores.stream()
                .filter(store -> store.getId() == request.getStoreId())
                .findFirst()
                .map(store -> GetStoreResponse.newBuilder().setHeader(header()).setStore(store))
                .orElseGet(
                    () ->
                        GetStoreResponse.newBuilder()
                            .setHeader(
                                failed(
                                    ErrorType.UNKNOWN,
                                    "invalid store ID %d, not found"
                                        .formatted(request.getStoreId()))))
                .build());
  }

  @Override
  public void getAllStores(GetAllStoresRequest request, StreamObserver<GetAllStoresResponse> out) {
    serve(
        RequestKind.GET_ALL_STORES,
        request,
        request.getHeader(),
        out,
        () ->
            GetAllStoresResponse.newBuilder().setHeader(header()).addAllStores(pd.stores).build());
  }

  @Override
  public void getClusterConfig(
      GetClusterConfigRequest request, StreamObserver<GetClusterConfigResponse> out) {
    serve(
        RequestKind.GET_CLUSTER_CONFIG,
        request,
        request.getHeader(),
        out,
        () ->
            GetClusterConfigResponse.newBuilder()
                .setHeader(header())
                .setCluster(
                    Metapb.Cluster.newBuilder()
                        .setId(PdState.CLUSTER_ID)
                        .setMaxPeerCount(pd.stores.size()))
                .build());
  }

  @Override
  public void getRegion(GetRegionRequest request, StreamObserver<GetRegionResponse> out) {
    ByteString key = RegionKey.decode(request.getRegionKey());
    serve(
        RequestKind.GET_REGION,
        request,
        request.getHeader(),
        out,
        () -> answer(Optional.of(pd.regions.at(key))));
  }

  @Override
  public void getPrevRegion(GetRegionRequest request, StreamObserver<GetRegionResponse> out) {
    ByteString key = RegionKey.decode(request.getRegionKey());
    serve(
        RequestKind.GET_PREV_REGION,
        request,
        request.getHeader(),
        out,
        () -> answer(pd.regions.before(key)));
  }

  @Override
  public void getRegionByID(GetRegionByIDRequest request, StreamObserver<GetRegionResponse> out) {
    serve(
        RequestKind.GET_REGION_BY_ID,
        request,
        request.getHeader(),
        out,
        () -> answer(pd.regions.byId(request.getRegionId())));
  }

  /** Where there is no region, PD answers none and no error. */
  private static GetRegionResponse answer(Optional<Region> region) {
    var answer = GetRegionResponse.newBuilder().setHeader(header());
    region.ifPresent(found -> answer.setRegion(found.meta()).setLeader(leader(found)));
    return answer.build();
  }

  private static Metapb.Peer leader(Region region) {
    return region.leader() == 0 ? Metapb.Peer.getDefaultInstance() : region.peer(region.leader());
  }

  @Override
  public void scanRegions(ScanRegionsRequest request, StreamObserver<ScanRegionsResponse> out) {
    serve(
        RequestKind.SCAN_REGIONS,
        request,
        request.getHeader(),
        out,
        () -> {
          List<Region> found =
              pd.regions.between(
                  RegionKey.decode(request.getStartKey()), RegionKey.decode(request.getEndKey()));
          var answer = ScanRegionsResponse.newBuilder().setHeader(header());
          found.stream()
              .limit(request.getLimit() <= 0 ? Long.MAX_VALUE : request.getLimit())
              .forEach(
                  region ->
                      answer
                          .addRegionMetas(region.meta())
                          .addLeaders(leader(region))
                          .addRegions(
                              Pdpb.Region.newBuilder()
                                  .setRegion(region.meta())
                                  .setLeader(leader(region))));
          return answer.build();
        });
  }

  /** Regions stay where they are. */
  @Override
  public void scatterRegion(
      ScatterRegionRequest request, StreamObserver<ScatterRegionResponse> out) {
    serve(
        RequestKind.SCATTER_REGION,
        request,
        request.getHeader(),
        out,
        () ->
            ScatterRegionResponse.newBuilder()
                .setHeader(header())
                .setFinishedPercentage(100)
                .build());
  }

  @Override
  public void getOperator(GetOperatorRequest request, StreamObserver<GetOperatorResponse> out) {
    serve(
        RequestKind.GET_OPERATOR,
        request,
        request.getHeader(),
        out,
        () ->
            GetOperatorResponse.newBuilder()
                .setHeader(header())
                .setRegionId(request.getRegionId())
                .setDesc(ByteString.copyFromUtf8("scatter-region"))
                .setStatus(OperatorStatus.SUCCESS)
                .build());
  }

  @Override
  public void getGCSafePoint(
      GetGCSafePointRequest request, StreamObserver<GetGCSafePointResponse> out) {
    serve(
        RequestKind.GET_GC_SAFE_POINT,
        request,
        request.getHeader(),
        out,
        () ->
            GetGCSafePointResponse.newBuilder()
                .setHeader(header())
                .setSafePoint(pd.safePoints.gcSafePoint())
                .build());
  }

  @Override
  public void updateGCSafePoint(
      UpdateGCSafePointRequest request, StreamObserver<UpdateGCSafePointResponse> out) {
    serve(
        RequestKind.UPDATE_GC_SAFE_POINT,
        request,
        request.getHeader(),
        out,
        () ->
            UpdateGCSafePointResponse.newBuilder()
                .setHeader(header())
                .setNewSafePoint(pd.safePoints.advanceGcSafePoint(request.getSafePoint()))
                .build());
  }

  @Override
  public void updateServiceGCSafePoint(
      UpdateServiceGCSafePointRequest request,
      StreamObserver<UpdateServiceGCSafePointResponse> out) {
    serve(
        RequestKind.UPDATE_SERVICE_GC_SAFE_POINT,
        request,
        request.getHeader(),
        out,
        () -> {
          long now = Ts.physical(pd.oracle.next(1)) / 1_000;
          SafePoints.Service least =
              pd.safePoints.update(
                  request.getServiceId(), request.getTTL(), request.getSafePoint(), now);
          return UpdateServiceGCSafePointResponse.newBuilder()
              .setHeader(header())
              .setServiceId(least.id())
              .setTTL(least.expiresAt() - now)
              .setMinSafePoint(least.safePoint())
              .build();
        });
  }
}
