package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** The TiKV cluster that the environment names for tests, and a corner of it. */
public final class RealCluster {
  /** Environment variable: PD's {@code host:port}, comma separated. */
  public static final String PD = "NUCLEUSMEM_TEST_PD";

  private static final int ROWS_PER_PAGE = 500;

  private final String prefix = "nmtest-" + UUID.randomUUID();

  /** A corner that nobody else uses. */
  public RealCluster() {}

  /** Opens a store over that corner. */
  public TikvStore open() {
    return TikvStore.open(settings(), Runnable::run);
  }

  private TikvSettings settings() {
    return new TikvSettings(
        List.of(System.getenv(PD).split(",")),
        prefix,
        Duration.ofSeconds(60),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        256,
        Optional.empty(),
        TikvSettings.Gc.DEFAULT);
  }

  /** Removes every row of that corner. */
  public void clear() {
    try (TikvStore store = open()) {
      Optional<KeyRange> rest = Optional.of(KeyRange.ALL);
      while (rest.isPresent()) {
        Page page = now(store.scan(rest.get(), ROWS_PER_PAGE, Direction.ASCENDING));
        WriteBatch.Builder batch = WriteBatch.at(now(store.now()));
        page.rows().stream().map(Row::key).forEach(batch::delete);
        now(store.commit(batch.build()));
        rest = page.rest();
      }
    }
  }

  private static <T> T now(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
