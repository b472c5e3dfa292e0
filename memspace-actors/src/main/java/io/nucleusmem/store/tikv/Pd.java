package io.nucleusmem.store.tikv;

import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb.GetMembersRequest;
import org.tikv.kvproto.Pdpb.GetMembersResponse;
import org.tikv.kvproto.Pdpb.Member;
import org.tikv.kvproto.Pdpb.RequestHeader;
import org.tikv.kvproto.Pdpb.ResponseHeader;
import org.tikv.shade.io.grpc.MethodDescriptor;

/** PD: who leads it, and requests to the leader. */
final class Pd {
  private final Rpc rpc;
  private volatile RequestHeader header = RequestHeader.getDefaultInstance();
  private volatile String leader;
  private volatile Set<String> members;

  Pd(Rpc rpc) {
    this.rpc = rpc;
    this.members = new LinkedHashSet<>(rpc.settings().pdEndpoints());
  }

  RequestHeader header() {
    return header;
  }

  /** Address of the member that leads; valid after {@link #connect}. */
  String leader() {
    return leader;
  }

  /** Finds the leader. Blocks; fails with what each endpoint said. */
  void connect(Deadline deadline) {
    try {
      findLeader(deadline, 0).join();
    } catch (CompletionException e) {
      Throwable cause = Rpc.cause(e);
      throw new StoreException(
          "no PD leader at %s within nucleusmem.store.tikv.connect-timeout, which is [%s]: %s"
              .formatted(
                  rpc.settings().pdEndpoints(),
                  rpc.settings().connectTimeout(),
                  cause.getMessage()),
          cause);
    }
  }

  /** Asks the members who leads, one after the other, until one knows. */
  CompletableFuture<Void> findLeader(Deadline deadline, int tries) {
    return ask(new ArrayList<>(members), 0, deadline, new ArrayList<>())
        .handle(
            (found, failure) -> {
              if (failure == null) {
                return CompletableFuture.<Void>completedFuture(null);
              }
              return deadline.hasPassed()
                  ? CompletableFuture.<Void>failedFuture(Rpc.cause(failure))
                  : rpc.pause(
                      tries + 4,
                      () ->
                          deadline.hasPassed() // what they said then tells nothing
                              ? CompletableFuture.failedFuture(Rpc.cause(failure))
                              : findLeader(deadline, tries + 1));
            })
        .thenCompose(Function.identity());
  }

  private CompletableFuture<Void> ask(
      List<String> addresses, int at, Deadline deadline, List<String> said) {
    if (at == addresses.size()) {
      return CompletableFuture.failedFuture(
          new TransientStoreException("PD's members said " + said));
    }
    String address = addresses.get(at);
    return rpc.send(
            address,
            PDGrpc.getGetMembersMethod(),
            GetMembersRequest.newBuilder().setHeader(header).build(),
            deadline)
        .handle(
            (answer, failure) -> {
              if (failure == null && learn(answer)) {
                return CompletableFuture.<Void>completedFuture(null);
              }
              said.add(
                  address
                      + ": "
                      + (failure == null ? "nobody leads" : describe(Rpc.cause(failure))));
              return ask(addresses, at + 1, deadline, said);
            })
        .thenCompose(Function.identity());
  }

  /** A failure and what is behind it, in one line. */
  private static String describe(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String first = firstLine(failure);
    return failure == root ? first : first + ", " + firstLine(root);
  }

  /** gRPC writes what its channel looked like below. */
  private static String firstLine(Throwable failure) {
    return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
  }

  private boolean learn(GetMembersResponse answer) {
    if (answer.getLeader().getClientUrlsCount() == 0) {
      return false;
    }
    Set<String> all = new LinkedHashSet<>();
    for (Member member : answer.getMembersList()) {
      member.getClientUrlsList().forEach(url -> all.add(address(url)));
    }
    all.addAll(rpc.settings().pdEndpoints());
    header = RequestHeader.newBuilder().setClusterId(answer.getHeader().getClusterId()).build();
    leader = address(answer.getLeader().getClientUrls(0));
    members = all;
    return true;
  }

  private static String address(String url) {
    URI uri = URI.create(url);
    return uri.getAuthority() == null ? url : uri.getAuthority();
  }

  /** A request to the leader; tried again elsewhere until the deadline if it does not answer. */
  <Q, R> CompletableFuture<R> call(
      MethodDescriptor<Q, R> method,
      Function<RequestHeader, Q> request,
      Function<R, ResponseHeader> headerOf,
      Deadline deadline) {
    return call(method, request, headerOf, deadline, 0);
  }

  private <Q, R> CompletableFuture<R> call(
      MethodDescriptor<Q, R> method,
      Function<RequestHeader, Q> request,
      Function<R, ResponseHeader> headerOf,
      Deadline deadline,
      int tries) {
    return rpc.send(leader, method, request.apply(header), deadline)
        .handle(
            (answer, failure) -> {
              if (failure == null && !headerOf.apply(answer).hasError()) {
                return CompletableFuture.completedFuture(answer);
              }
              String why =
                  failure == null
                      ? headerOf.apply(answer).getError().getMessage()
                      : describe(Rpc.cause(failure));
              if (deadline.hasPassed()) {
                return CompletableFuture.<R>failedFuture(
                    new TransientStoreException(
                        "PD at [%s] did not answer [%s] within [%s]: %s"
                            .formatted(
                                leader, method.getBareMethodName(), deadline.allowed(), why)));
              }
              return rpc.pause(
                  tries + 2,
                  () ->
                      findLeader(deadline, 0)
                          .thenCompose(
                              found -> call(method, request, headerOf, deadline, tries + 1)));
            })
        .thenCompose(Function.identity());
  }
}
