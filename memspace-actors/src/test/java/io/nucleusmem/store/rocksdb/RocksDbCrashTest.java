package io.nucleusmem.store.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * G1: what was acknowledged survives the end of the process and the loss of what was not synced.
 *
 * <p>An image of an idle store's directory is what kill -9 leaves of it: pages are the kernel's.
 * All in it was synced, for each commit waited; what a power loss leaves of a write under way is
 * made behind it.
 */
class RocksDbCrashTest {
  private static final int ROUNDS = 20;
  private static final String ACKNOWLEDGED = "r\\d+/\\d/\\d+ \\d{18,}"; // whole lines

  @TempDir Path temp;

  @Test
  void acknowledgedCommitsSurviveKillAndTimeGoesOn() throws Exception {
    Path dir = temp.resolve("killed");
    Random random = new Random(11);
    Map<String, String> acknowledged = new HashMap<>();
    long newest = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Process child = CrashChild.start(dir, "until-killed", "r" + round);
      List<String> lines = new ArrayList<>();
      try (BufferedReader out = reader(child)) {
        for (int wanted = 1 + random.nextInt(400); lines.size() < wanted; ) {
          String line = out.readLine();
          assertThat(line).as("what the child says").isNotNull();
          if (line.matches(ACKNOWLEDGED)) {
            lines.add(line);
          }
        }
        if (round == 0) {
          assertThatThrownBy(() -> open(dir))
              .isExactlyInstanceOf(StoreException.class)
              .hasMessageContaining(dir.toRealPath().toString())
              .hasMessageContaining("in use by another process");
        }
        child.toHandle().destroyForcibly(); // kill -9, and leaves its output readable
        out.lines().filter(line -> line.matches(ACKNOWLEDGED)).forEach(lines::add);
      }
      assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
      for (String line : lines) {
        String[] words = line.split(" ");
        acknowledged.put(words[0], words[1]);
        newest = Math.max(newest, Long.parseLong(words[1]));
      }
      try (RocksDbStore store = open(dir)) {
        acknowledged.forEach((key, value) -> assertThat(get(store, key)).as(key).isEqualTo(value));
        long now = time(store);
        assertThat(now).isGreaterThan(newest);
        assertThat(Timestamps.millis(now)) // however often it crashes
            .isLessThan(System.currentTimeMillis() + StoreClock.AHEAD_MILLIS + 1_000);
      }
    }
    assertThat(acknowledged.size()).isGreaterThan(ROUNDS);
    try (Stream<Path> libraries = Files.list(dir.resolve("native"))) {
      assertThat(libraries).hasSizeLessThanOrEqualTo(1); // not one per killed process
    }
  }

  @Test
  void aFullDiskStopsWritesAndLosesNothingAcknowledged() throws Exception {
    Path shell = Path.of("/bin/sh");
    assumeTrue(Files.isExecutable(shell), "needs a shell that can limit the size of files");
    Path dir = temp.resolve("full");
    // As a disk that ends within the log: no file grows over 24 MiB (48 where the unit is 1 KiB).
    String limited = "ulimit -f 49152; exec \"$@\"";
    Process child = CrashChild.start(dir, "fill", "-", shell.toString(), "-c", limited, "limited");
    List<String> lines;
    try (BufferedReader out = reader(child)) {
      lines = out.lines().toList();
    }
    assertThat(lines)
        .contains(
            "failed UndeterminedCommitException",
            "again UndeterminedCommitException",
            "next StoreException",
            "read true",
            "seen false");
    try (RocksDbStore store = open(dir)) {
      List<String> keys = lines.stream().filter(line -> line.startsWith("k")).toList();
      assertThat(keys.size()).isGreaterThan(20);
      keys.forEach(key -> assertThat(find(store, key)).as(key).isTrue());
      assertThat(find(store, "n")).isFalse();
      put(store, "n", "1");
    }
  }

  // ---- the end of the log ----

  /** Three commits, and what is left of them after the log was changed. */
  private void afterTheLogWas(Changed changed, Consumer<RocksDbStore> then) throws Exception {
    Path dir = temp.resolve("store");
    Path image = temp.resolve("image");
    long[] ends = new long[4];
    try (RocksDbStore store = open(dir)) {
      put(store, "a", "1");
      ends[1] = Files.size(log(dir));
      put(store, "b", "2".repeat(200));
      ends[2] = Files.size(log(dir));
      put(store, "c", "3".repeat(70_000)); // over more than two blocks
      ends[3] = Files.size(log(dir));
      copy(dir, image);
    }
    try (FileChannel log = FileChannel.open(log(image), StandardOpenOption.WRITE)) {
      changed.change(log, ends);
    }
    try (RocksDbStore store = open(image)) {
      then.accept(store);
      put(store, "d", "4");
    }
    try (RocksDbStore store = open(image)) {
      then.accept(store);
      assertThat(get(store, "d")).isEqualTo("4");
    }
  }

  /** Changes a log; {@code ends[n]} is its length after the n-th commit. */
  private interface Changed {
    void change(FileChannel log, long[] ends) throws Exception;
  }

  @Test
  void anImageOfTheDirectoryHoldsEveryCommit() throws Exception {
    afterTheLogWas((log, ends) -> {}, store -> assertThat(find(store, "c")).isTrue());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 6, 7, 8, 100, 32_768, 70_000})
  void aWriteThatWasCutOffIsNotThereAndHarmsNoOther(int kept) throws Exception {
    afterTheLogWas(
        (log, ends) -> log.truncate(ends[2] + kept),
        store -> {
          assertThat(find(store, "b")).isTrue();
          assertThat(find(store, "c")).isFalse();
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void rubbishBehindTheLastCommitIsIgnored(long seed) throws Exception {
    byte[] rubbish = new byte[40_000];
    new Random(seed).nextBytes(rubbish);
    afterTheLogWas(
        (log, ends) -> log.write(ByteBuffer.wrap(rubbish), ends[3]),
        store -> assertThat(find(store, "c")).isTrue());
  }

  @Test
  void zerosBehindTheLastCommitAreIgnored() throws Exception {
    afterTheLogWas(
        (log, ends) -> log.write(ByteBuffer.allocate(100_000), ends[3]),
        store -> assertThat(find(store, "c")).isTrue());
  }

  @Test
  void aWriteWhoseMiddleDidNotReachTheDiskIsNotThere() throws Exception {
    afterTheLogWas(
        (log, ends) -> log.write(ByteBuffer.allocate(4_096), ends[2] + 8_192),
        store -> {
          assertThat(find(store, "b")).isTrue();
          assertThat(find(store, "c")).isFalse();
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, -100, -205, -206, -207, -208})
  void damageBeforeAnAcknowledgedCommitIsReported(int behind) {
    assertThatThrownBy(
            () ->
                afterTheLogWas(
                    (log, ends) -> {
                      try (FileChannel readable =
                          FileChannel.open(log(temp.resolve("image")), StandardOpenOption.READ)) {
                        ByteBuffer one = ByteBuffer.allocate(1);
                        readable.read(one, ends[2] + behind);
                        one.put(0, (byte) ~one.get(0)).flip();
                        log.write(one, ends[2] + behind);
                      }
                    },
                    store -> {}))
        .isExactlyInstanceOf(StoreException.class)
        .hasMessageContaining("is damaged at byte");
  }

  // ---- the clock ----

  @Test
  void afterACrashTimeIsAheadByNoMoreThanItsMark() throws Exception {
    long[] millis = {1_000_000};
    Path dir = temp.resolve("clock");
    Path image = temp.resolve("image");
    long last;
    try (RocksDbStore store = RocksDbStore.open(settings(dir), Runnable::run, () -> millis[0])) {
      last = time(store);
      assertThat(Timestamps.millis(last)).isEqualTo(1_000_000);
      copy(dir, image);
    }
    millis[0] = 10; // and the wall clock was set back
    try (RocksDbStore store = RocksDbStore.open(settings(image), Runnable::run, () -> millis[0])) {
      assertThat(time(store)).isGreaterThan(last);
      assertThat(Timestamps.millis(time(store)))
          .isLessThanOrEqualTo(1_000_000 + StoreClock.AHEAD_MILLIS);
    }
    try (RocksDbStore store = RocksDbStore.open(settings(dir), Runnable::run, () -> millis[0])) {
      assertThat(time(store)).isEqualTo(last + 1); // closed in order: nothing jumps
      millis[0] = 5_000_000; // far beyond the mark: waits for the next one, then is exact
      assertThat(Timestamps.millis(time(store))).isEqualTo(5_000_000);
    }
  }

  // ---- helpers ----

  static void copy(Path from, Path to) throws Exception {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : all.filter(path -> !path.endsWith("native")).toList()) {
        if (!each.startsWith(from.resolve("native"))) {
          Files.copy(each, to.resolve(from.relativize(each).toString()));
        }
      }
    }
  }

  private static Path log(Path dir) throws Exception {
    try (Stream<Path> files = Files.list(dir.resolve("db"))) {
      return files.filter(file -> file.toString().endsWith(".log")).max(Path::compareTo).get();
    }
  }

  private static BufferedReader reader(Process child) {
    return new BufferedReader(
        new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
  }

  private static RocksDbSettings settings(Path dir) {
    return TestSettings.in(dir);
  }

  private static RocksDbStore open(Path dir) {
    return RocksDbStore.open(settings(dir), Runnable::run);
  }

  private static long time(RocksDbStore store) throws Exception {
    return store.now().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static void put(RocksDbStore store, String key, String value) {
    long time = store.now().toCompletableFuture().join();
    WriteBatch batch = WriteBatch.at(time).put(Bytes.utf8(key), Bytes.utf8(value)).build();
    store.commit(batch).toCompletableFuture().join();
  }

  private static boolean find(RocksDbStore store, String key) {
    return store.get(Bytes.utf8(key)).toCompletableFuture().join().isPresent();
  }

  private static String get(RocksDbStore store, String key) {
    return store.get(Bytes.utf8(key)).toCompletableFuture().join().orElseThrow().utf8();
  }
}
