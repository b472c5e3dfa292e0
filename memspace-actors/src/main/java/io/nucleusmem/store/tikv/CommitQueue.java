package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.WriteBatch;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Commits of this process that touch the same key go one after the other, in the order in which
 * they were asked for: so a condition sees what was sent before it, and they don't meet each
 * other's locks.
 */
final class CommitQueue {
  private final Map<Bytes, CompletableFuture<Void>> newest = new HashMap<>(); // by key

  CompletableFuture<Void> after(WriteBatch batch, Supplier<CompletableFuture<Void>> commit) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    Set<CompletableFuture<Void>> before = new LinkedHashSet<>();
    synchronized (newest) {
      for (WriteBatch.Op op : batch.ops()) {
        CompletableFuture<Void> last = newest.put(op.key(), ended);
        if (last != null) {
          before.add(last);
        }
      }
    }
    CompletableFuture<Void> result =
        before.isEmpty()
            ? commit.get()
            : CompletableFuture.allOf(before.toArray(CompletableFuture[]::new))
                .thenCompose(done -> commit.get());
    return result.whenComplete(
        (done, failure) -> {
          synchronized (newest) {
            batch.ops().forEach(op -> newest.remove(op.key(), ended));
          }
          ended.complete(null);
        });
  }
}
