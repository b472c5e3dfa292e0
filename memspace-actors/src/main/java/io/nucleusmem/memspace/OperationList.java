package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** One page of a listing of operations, newest first. */
final class OperationList {
  private static final int ROWS_PAGE = 256;
  private static final int ROUNDS_MAX = 16; // store pages that one page may look through

  private final KvStore store;
  private final Map<String, LiveOperation> live;
  private final Principal caller;
  private final Optional<OperationInfo.State> state;
  private final int limit;
  private final String scope;
  private final List<OperationInfo> found = new ArrayList<>();

  /**
   * A listing.
   *
   * @param live those of this node, which know more than is written down
   */
  OperationList(
      KvStore store,
      Map<String, LiveOperation> live,
      Principal caller,
      Optional<OperationInfo.State> state,
      int limit) {
    this.store = store;
    this.live = live;
    this.caller = caller;
    this.state = state;
    this.limit = limit;
    this.scope = "operations/" + state.map(OperationInfo.State::label).orElse("");
  }

  CompletionStage<Paged<OperationInfo>> page(Optional<String> cursor) {
    try {
      Limits.page(limit);
      KeyRange all = OperationRows.all();
      return next(
          cursor.map(text -> all.endingAt(Cursor.decode(text, scope).at())).orElse(all),
          ROUNDS_MAX);
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  private CompletionStage<Paged<OperationInfo>> next(KeyRange range, int rounds) {
    return store
        .scan(range, ROWS_PAGE, Direction.DESCENDING)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (found.size() == limit) {
                  return upTo(OperationRows.key(found.get(limit - 1).id()));
                }
                OperationInfo info = info(row);
                if (OperationsClient.maySee(caller, info)
                    && (state.isEmpty() || state.get() == info.state())) {
                  found.add(info);
                }
              }
              if (page.rest().isEmpty()) {
                return CompletableFuture.completedStage(new Paged<>(found, 0, Optional.empty()));
              }
              KeyRange rest = page.rest().get();
              return rounds > 1 ? next(rest, rounds - 1) : upTo(rest.to());
            });
  }

  private OperationInfo info(Row row) {
    LiveOperation here = live.get(OperationRows.idOf(row.key()));
    return here != null ? here.info() : OperationsClient.decode(row.value()).info();
  }

  private CompletionStage<Paged<OperationInfo>> upTo(Bytes end) {
    return CompletableFuture.completedStage(
        new Paged<>(found, 0, Optional.of(new Cursor(scope, 0, end).encode())));
  }
}
