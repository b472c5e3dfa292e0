package io.nucleusmem.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.MemoryStore;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a new owner reads when it is first asked whether a request was applied before it. */
class AppliedRequestsTest {
  private static final long BEGAN = 1_700_000_000_000L; // one commit a second from there on

  private final MemoryStore store = new MemoryStore(StoreScope.REGION);
  private final AtomicInteger scans = new AtomicInteger();
  private final LedgerId id = LedgerId.random();

  @AfterEach
  void close() {
    store.close();
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  /** The store, with its scans counted. */
  private KvStore counted() {
    return (KvStore)
        Proxy.newProxyInstance(
            KvStore.class.getClassLoader(),
            new Class<?>[] {KvStore.class},
            (proxy, method, arguments) -> {
              if (method.getName().startsWith("scan")) {
                scans.incrementAndGet();
              }
              return method.invoke(store, arguments);
            });
  }

  private static RequestStamp stamp(long revision) {
    return RequestStamp.of(new UUID(7, revision).toString(), revision);
  }

  /** Commits of one revision each, from 0 up to the newest. */
  private void write(long newest) {
    for (long revision = 0; revision <= newest; revision++) {
      LogRow row =
          new LogRow(
              revision,
              1,
              Timestamps.firstOf(BEGAN + revision * 1_000),
              List.of(new LogRecord("anna", stamp(revision), List.of())));
      await(
          store.commit(
              WriteBatch.at(await(store.now()))
                  .insert(LedgerKeys.log(id, revision), row.encode(true))
                  .build()));
    }
  }

  /** Read by an owner that begins in the second of the newest commit. */
  private List<Long> read(long newest, Duration window, int requestsMax) {
    LedgerSettings settings = LedgerSettings.DEFAULT;
    AppliedRequests applied =
        new AppliedRequests(
            new LedgerReader(counted(), id),
            new LedgerSettings(
                settings.commitCommandsMax(),
                settings.commitBytesMax(),
                settings.queueCommandsMax(),
                settings.queueBytesMax(),
                settings.headCacheEntries(),
                settings.headCacheBytes(),
                window,
                requestsMax,
                settings.settleTimeout(),
                settings.resendDelay(),
                settings.anchorEvery()),
            0);
    return await(applied.read(BEGAN + newest * 1_000, newest)).stream().map(LogRow::first).toList();
  }

  private static List<Long> revisions(long from, long to) {
    return LongStream.rangeClosed(from, to).boxed().toList();
  }

  @Test
  void aShortWindowTakesOneRead() {
    write(50);

    assertThat(read(50, Duration.ofMinutes(10), 1_000)).isEqualTo(revisions(0, 50));
    assertThat(scans).as("a caller waits for each").hasValue(1);
  }

  /** The commit before the window is read too: what is older than it may have been forgotten. */
  @Test
  void aLongLogIsReadBackToWhereTheWindowBegins() {
    write(300);

    assertThat(read(300, Duration.ofSeconds(100), 1_000)).isEqualTo(revisions(200, 300));
    assertThat(scans).hasValue(2);
  }

  @Test
  void noMoreIsReadThanIsRemembered() {
    write(300);

    assertThat(read(300, Duration.ofMinutes(10), 10)).isEqualTo(revisions(291, 300));
    assertThat(scans).hasValue(1);
  }

  @Test
  void aLogOfSeveralPagesIsReadWhole() {
    write(600);

    assertThat(read(600, Duration.ofMinutes(60), 1_000)).isEqualTo(revisions(0, 600));
  }
}
