package io.nucleusmem.store.tikv.server;

import java.util.List;
import org.tikv.kvproto.Errorpb;
import org.tikv.shade.io.grpc.Status;

/** What goes wrong with a request. Armed with {@link Faults}. */
@FunctionalInterface
public interface Fault {
  void meet(Call call);

  /** The store says that it does not lead, and not who does. */
  static Fault notLeader() {
    return call -> call.refuse(RegionErrors.notLeader(call.region(), 0));
  }

  /** The store says that another one leads, whether that is true or not. */
  static Fault notLeaderBut(long store) {
    return call -> call.refuse(RegionErrors.notLeader(call.region(), store));
  }

  /** The region is said to have changed; its present shape comes along. */
  static Fault epochNotMatch() {
    return call -> call.refuse(RegionErrors.epochNotMatch(call.region()));
  }

  static Fault regionNotFound() {
    return call -> call.refuse(RegionErrors.regionNotFound(call.region().id()));
  }

  static Fault serverIsBusy(long backoffMillis) {
    return refusal(
        Errorpb.Error.newBuilder()
            .setMessage("server is busy")
            .setServerIsBusy(
                Errorpb.ServerIsBusy.newBuilder()
                    .setReason("test fault")
                    .setBackoffMs(backoffMillis)));
  }

  static Fault staleCommand() {
    return refusal(
        Errorpb.Error.newBuilder()
            .setMessage("stale command")
            .setStaleCommand(Errorpb.StaleCommand.getDefaultInstance()));
  }

  /** A replica that lags, or any other reason that TiKV has: whatever it is, nothing was done. */
  static List<Fault> otherRefusals() {
    return List.of(
        refusal(
            Errorpb.Error.newBuilder()
                .setMessage("data is not ready")
                .setDataIsNotReady(Errorpb.DataIsNotReady.getDefaultInstance())),
        refusal(
            Errorpb.Error.newBuilder()
                .setMessage("read index not ready")
                .setReadIndexNotReady(Errorpb.ReadIndexNotReady.getDefaultInstance())),
        refusal(
            Errorpb.Error.newBuilder()
                .setMessage("merging")
                .setProposalInMergingMode(Errorpb.ProposalInMergingMode.getDefaultInstance())),
        refusal(
            Errorpb.Error.newBuilder()
                .setMessage("not initialized")
                .setRegionNotInitialized(Errorpb.RegionNotInitialized.getDefaultInstance())),
        refusal(
            Errorpb.Error.newBuilder()
                .setMessage("another store")
                .setStoreNotMatch(Errorpb.StoreNotMatch.getDefaultInstance())),
        refusal(
            Errorpb.Error.newBuilder()
                .setMessage("disk full")
                .setDiskFull(Errorpb.DiskFull.getDefaultInstance())),
        refusal(Errorpb.Error.newBuilder().setMessage("what no client knows yet")));
  }

  /** A new leader that has not heard of PD's time yet refuses to commit in one phase. */
  static Fault maxTimestampNotSynced() {
    return refusal(
        Errorpb.Error.newBuilder()
            .setMessage("max timestamp not synced")
            .setMaxTimestampNotSynced(Errorpb.MaxTimestampNotSynced.getDefaultInstance()));
  }

  /** The connection breaks before anything is done. */
  static Fault lostRequest() {
    return call -> call.fail(Status.UNAVAILABLE.withDescription("test fault: request lost"));
  }

  /** It is done, then the connection breaks. */
  static Fault lostAnswer() {
    return call -> {
      call.apply();
      call.fail(Status.UNAVAILABLE.withDescription("test fault: answer lost"));
    };
  }

  /** It is done, and the caller waits for ever. */
  static Fault noAnswer() {
    return Call::apply;
  }

  /** Something happens just before it is done, such as a split. */
  static Fault before(Runnable event) {
    return call -> {
      event.run();
      call.answer();
    };
  }

  /** Something happens after it is done and before it is answered. */
  static Fault after(Runnable event) {
    return call -> {
      Runnable answer = call.apply();
      event.run();
      answer.run();
    };
  }

  private static Fault refusal(Errorpb.Error.Builder error) {
    return call -> call.refuse(error.build());
  }
}
