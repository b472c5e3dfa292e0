package io.nucleusmem.store.tikv.server;

import org.tikv.kvproto.Errorpb;
import org.tikv.shade.com.google.protobuf.Message;
import org.tikv.shade.io.grpc.Status;

/** One request that has arrived and waits for its answer: what a {@link Fault} gets to handle. */
public interface Call {
  RequestKind kind();

  /** Number of the store that it came to; 0: PD. */
  long store();

  Message request();

  /** Does what is asked. Nothing is sent until the result is run. */
  Runnable apply();

  /** Does what is asked and answers. */
  default void answer() {
    apply().run();
  }

  /** Ends the call without an answer. */
  void fail(Status status);

  /** Answers with a region error instead of doing anything. Only requests to stores can. */
  void refuse(Errorpb.Error error);

  /** The region that the request names, as it is now; for requests to stores. */
  Region region();
}
