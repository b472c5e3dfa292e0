package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerException;
import java.util.concurrent.CompletableFuture;

/**
 * Where the answer to a message goes. Local by nature: a message that leaves the node carries a
 * number instead, under which the node that asked keeps the promise: see {@link Awaited}.
 */
public final class Promise<T> {
  /** The node that keeps the promise of which this is the end here, and its number there. */
  record Origin(String node, long number) {}

  private final CompletableFuture<T> future = new CompletableFuture<>();
  private final Origin origin;

  public Promise() {
    this(null);
  }

  Promise(Origin origin) {
    this.origin = origin;
  }

  /** Null if the promise was made here. */
  Origin origin() {
    return origin;
  }

  /**
   * Completed with the answer; a {@link MemSpaceException} or {@link LedgerException} if refused.
   */
  public CompletableFuture<T> future() {
    return future;
  }

  /** False if it was settled before: whoever asked has given up, or asks again. */
  public boolean succeed(T value) {
    return future.complete(value);
  }

  public void fail(RuntimeException why) {
    future.completeExceptionally(why);
  }

  /** Settles with whichever of the two is there. */
  public void settle(T value, RuntimeException why) {
    if (why == null) {
      succeed(value);
    } else {
      fail(why);
    }
  }
}
