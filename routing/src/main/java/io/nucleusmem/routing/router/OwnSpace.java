package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** A space of the router's own: opened at first use, and again if its mount was revoked. */
final class OwnSpace {
  private static final int COUNT_PAGE = 1_000;

  /** Refusals after which a mount is looked up anew. */
  static final Set<ErrorCode> STALE =
      EnumSet.of(
          ErrorCode.MOUNT_REVOKED,
          ErrorCode.MOUNT_NOT_FOUND,
          ErrorCode.MOUNT_REQUIRED,
          ErrorCode.SPACE_NOT_FOUND);

  private final MemSpaces spaces;
  private final String name;
  private CompletableFuture<MountedSpace> opened; // guarded by this

  OwnSpace(MemSpaces spaces, String name) {
    this.spaces = spaces;
    this.name = name;
  }

  String name() {
    return name;
  }

  /** Opens it, if it is not. */
  synchronized CompletableFuture<MountedSpace> open() {
    if (opened == null || opened.isCompletedExceptionally()) {
      opened = RouterSpace.open(spaces, name).toCompletableFuture();
    }
    return opened;
  }

  private synchronized void forget(CompletableFuture<MountedSpace> stale) {
    if (opened == stale) {
      opened = null;
    }
  }

  /** Does something with it. */
  <T> CompletionStage<T> call(Function<MountedSpace, CompletionStage<T>> use) {
    CompletableFuture<MountedSpace> now = open();
    return Failures.recover(
        now.thenCompose(use),
        failure -> {
          if (failure instanceof MemSpaceException refused && STALE.contains(refused.code())) {
            forget(now);
            return open().thenCompose(use);
          }
          return CompletableFuture.failedStage(failure);
        });
  }

  /** Entries below a prefix at a revision. */
  CompletionStage<Long> count(String prefix, long revision) {
    return count(
        ScanRequest.of(Region.MEMORY, prefix)
            .at(ReadAt.revision(revision))
            .values(false)
            .limit(COUNT_PAGE),
        0);
  }

  private CompletionStage<Long> count(ScanRequest request, long before) {
    return call(mounted -> mounted.scan(request))
        .thenCompose(
            page -> {
              long counted = before + page.items().size();
              return page.next().isPresent()
                  ? count(request.after(page.next().get()), counted)
                  : CompletableFuture.completedStage(counted);
            });
  }
}
