package io.nucleusmem.examples.desk;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * The memory's calls as plain ones that wait. The agents of the desk do their steps one after the
 * other on the blocking dispatcher, where they read files and ask models anyway; this keeps each
 * step readable from top to bottom. The client's own deadline bounds every wait.
 */
final class Calls {

  private final MountedSpace space;

  Calls(MountedSpace space) {
    this.space = space;
  }

  /** A batch that was refused because somebody else was faster; read again and decide anew. */
  static final class Overtaken extends Exception {
    private static final long serialVersionUID = 1L;

    Overtaken(MemSpaceException cause) {
      super(cause);
    }
  }

  Optional<Entry> get(EntryKey key) {
    return await(space.get(key));
  }

  /** All entries below a prefix, as they were at one revision. */
  List<Entry> scan(ScanRequest request) {
    var entries = new ArrayList<Entry>();
    ScanRequest page = request.limit(1_000);
    while (true) {
      Paged<Entry> found = await(space.scan(page));
      entries.addAll(found.items());
      if (found.next().isEmpty()) {
        return entries;
      }
      page = request.limit(1_000).after(found.next().get());
    }
  }

  /** Writes without conditions that could fail. */
  Written write(List<Operation> operations) {
    return await(space.write(operations, WriteOptions.DEFAULT));
  }

  /** Writes under conditions. */
  Written tryWrite(List<Operation> operations) throws Overtaken {
    try {
      return write(operations);
    } catch (MemSpaceException e) {
      if (e.code() == ErrorCode.REVISION_MISMATCH
          || e.code() == ErrorCode.ENTRY_NOT_FOUND
          || e.code() == ErrorCode.CLAIM_LOST
          || e.code() == ErrorCode.CLAIMED) {
        throw new Overtaken(e);
      }
      throw e;
    }
  }

  /**
   * Publishes a message; the same request id publishes the same message once.
   *
   * @param to the agent it is for; empty: everybody
   */
  void publish(String topic, Content message, Optional<String> to, String requestId) {
    await(space.topic(topic).publish(message, to, WriteOptions.id(requestId)));
  }

  /** Waits for a stage; its failure is thrown as it is. */
  static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw e;
    }
  }
}
