package io.nucleusmem.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.WriteBatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A data directory that cannot be used says why; queues have limits. */
class RocksDbDirectoryTest {
  @TempDir Path temp;
  private Path dir;

  @BeforeEach
  void makeAStore() {
    dir = temp.resolve("store");
    try (RocksDbStore store = open(Runnable::run)) {
      store.commit(WriteBatch.at(1).put(Bytes.utf8("a"), Bytes.utf8("1")).build());
    }
  }

  @Test
  void aSecondStoreInThisProcessIsRefusedAndHarmsNothing() throws Exception {
    try (RocksDbStore store = open(Runnable::run)) {
      refused("in use by this process");
      refused("in use by this process");
      assertThat(get(store, "a")).isTrue();
      Process other = CrashChild.start(dir, "until-killed", "x"); // the lock is still held
      assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(other.exitValue()).isNotZero();
    }
    open(Runnable::run).close();
  }

  @Test
  void damagedFilesAreNamed() throws Exception {
    Path manifest;
    try (Stream<Path> files = Files.list(dir.resolve("db"))) {
      manifest =
          files.filter(f -> f.getFileName().toString().startsWith("MANIFEST")).findAny().get();
    }
    byte[] whole = Files.readAllBytes(manifest);
    for (byte[] damaged : List.of(new byte[0], new byte[200], new byte[] {1, 2, 3})) {
      Files.write(manifest, damaged);
      refused("cannot be opened");
    }
    Files.write(manifest, whole);
    Path current = dir.resolve("db/CURRENT");
    byte[] name = Files.readAllBytes(current);
    Files.writeString(current, "rubbish\n");
    refused("cannot be opened");
    Files.write(current, name);
    open(Runnable::run).close();
  }

  @Test
  void aDatabaseThatIsGoneIsNotMadeAnew() throws Exception {
    deleteAll(dir.resolve("db"));
    refused("cannot be opened");
  }

  @Test
  void aLogThatIsGoneIsNoticed() throws Exception {
    try (Stream<Path> files = Files.list(dir.resolve("db"))) {
      for (Path log : files.filter(f -> f.toString().endsWith(".log")).toList()) {
        Files.delete(log);
      }
    }
    refused("has lost acknowledged commits");
  }

  @Test
  void aClockThatIsGoneOrDamagedIsNoticed() throws Exception {
    Path clock = dir.resolve("clock");
    byte[] whole = Files.readAllBytes(clock);
    for (int slot = 0; slot < 2; slot++) { // one of the two may be torn
      byte[] torn = whole.clone();
      torn[slot * 4_096 + 20] ^= 1;
      Files.write(clock, torn);
      open(Runnable::run).close();
      whole = Files.readAllBytes(clock);
    }
    whole[20] ^= 1;
    whole[4_096 + 20] ^= 1;
    Files.write(clock, whole);
    refused("damaged in both places");
    Files.delete(clock);
    refused("has lost its file [clock]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nucleusmem-rocksdb 2", "nucleusmem-rocksdb 2 with more"})
  void aNewerFormatIsRefused(String format) throws Exception {
    Files.writeString(dir.resolve("FORMAT"), format);
    refused("use a newer NucleusMem");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "rubbish", "nucleusmem-rocksdb x", "nucleusmem-rocksdb"})
  void anUnreadableFormatIsRefused(String format) throws Exception {
    Files.writeString(dir.resolve("FORMAT"), format);
    refused("damaged or not a store's");
  }

  @Test
  void aDatabaseOfSomeoneElseIsLeftAlone() throws Exception {
    Files.delete(dir.resolve("FORMAT"));
    refused("did not write");
  }

  @Test
  void aCreationThatDidNotFinishIsFinished() throws Exception {
    deleteAll(dir.resolve("db"));
    Files.writeString(dir.resolve("FORMAT"), "nucleusmem-rocksdb 1 creating\n");
    try (RocksDbStore store = open(Runnable::run)) {
      assertThat(get(store, "a")).isFalse();
    }
    assertThat(dir.resolve("FORMAT")).hasContent("nucleusmem-rocksdb 1");
  }

  @Test
  void aFileWhereTheDirectoryShouldBeIsNamed() throws Exception {
    dir = temp.resolve("file");
    Files.writeString(dir, "", StandardOpenOption.CREATE);
    refused("cannot be made");
    dir = dir.resolve("below");
    refused("cannot be made");
  }

  // ---- limits ----

  @Test
  void commitsBeyondTheQueueAreRefusedAsBusyAndNotWritten() {
    Map<String, Object> tight = Map.of("commit-queue-bytes-max", "8 MiB");
    Bytes value = Bytes.wrap(new byte[3 << 20]);
    try (RocksDbStore store = RocksDbStore.open(TestSettings.with(dir, tight), Runnable::run)) {
      List<CompletableFuture<Void>> all = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        WriteBatch batch = WriteBatch.at(i + 2).put(Bytes.utf8("k" + i), value).build();
        all.add(store.commit(batch).toCompletableFuture());
      }
      int busy = 0;
      for (int i = 0; i < 100; i++) {
        boolean written = true;
        try {
          all.get(i).join();
        } catch (CompletionException e) {
          assertThat(e).hasCauseInstanceOf(TransientStoreException.class);
          written = false;
          busy++;
        }
        assertThat(get(store, "k" + i)).isEqualTo(written);
      }
      assertThat(busy).isPositive();
      store.commit(WriteBatch.at(200).put(Bytes.utf8("k"), value).build()); // there is room again
    }
    try (RocksDbStore store = open(Runnable::run)) {
      assertThat(get(store, "k")).isTrue();
    }
  }

  @Test
  void readsThatNeedTheDiskWaitElsewhereAndAreBounded() throws Exception {
    Bytes value = Bytes.wrap(new byte[32 << 10]); // a block each
    try (RocksDbStore store = open(Runnable::run)) {
      for (int i = 0; i < 8; i++) {
        store.commit(WriteBatch.at(i + 2).put(Bytes.utf8("k" + i), value).build());
      }
    }
    CountDownLatch go = new CountDownLatch(1);
    Map<String, Object> tight = Map.of("read-threads", 1, "read-queue-max", 1);
    try (RocksDbStore store =
        RocksDbStore.open(TestSettings.with(dir, tight), task -> runAfter(go, task))) {
      List<CompletableFuture<Optional<Bytes>>> reads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        reads.add(store.get(Bytes.utf8("k" + i)).toCompletableFuture());
      }
      assertThat(reads.get(0)).isNotDone();
      assertThat(reads.get(7))
          .isCompletedExceptionally()
          .failsWithin(0, TimeUnit.SECONDS)
          .withThrowableThat()
          .withCauseInstanceOf(TransientStoreException.class)
          .withMessageContaining("busy");
      go.countDown();
      assertThat(reads.get(0).get(30, TimeUnit.SECONDS)).contains(value);
      assertThat(store.get(Bytes.utf8("k0")).toCompletableFuture()).isDone(); // now in memory
    }
  }

  private static void runAfter(CountDownLatch go, Runnable task) {
    try {
      go.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    task.run();
  }

  private RocksDbStore open(java.util.concurrent.Executor callbacks) {
    return RocksDbStore.open(TestSettings.in(dir), callbacks);
  }

  private void refused(String why) {
    assertThatThrownBy(() -> open(Runnable::run))
        .isExactlyInstanceOf(StoreException.class)
        .hasMessageContaining(dir.toString())
        .hasMessageContaining(why);
  }

  private static boolean get(RocksDbStore store, String key) {
    return store.get(Bytes.utf8(key)).toCompletableFuture().join().isPresent();
  }

  private static void deleteAll(Path dir) throws Exception {
    try (Stream<Path> all = Files.walk(dir)) {
      for (Path each : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
