package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.WriteBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;

/** A process of its own that writes: until it is killed, or until the disk takes no more. */
final class CrashChild {
  private static final int WRITERS = 4;

  private CrashChild() {}

  /** Starts it. What it acknowledges stands on its output, one line each. */
  static Process start(Path dir, String mode, String name, String... before) throws Exception {
    List<String> command = new ArrayList<>(List.of(before));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.addAll(List.of(CrashChild.class.getName(), dir.toString(), mode, name));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  public static void main(String[] args) throws Exception {
    RocksDbStore store =
        RocksDbStore.open(
            TestSettings.with(Path.of(args[0]), Map.of("write-buffer-bytes", "512 MiB")),
            Runnable::run);
    if (args[1].equals("until-killed")) {
      for (int writer = 0; writer < WRITERS; writer++) {
        String prefix = args[2] + "/" + writer + "/";
        new Thread(() -> write(store, prefix)).start();
      }
    } else {
      fill(store);
    }
  }

  private static void write(RocksDbStore store, String prefix) {
    for (int i = 0; ; i++) {
      Bytes key = Bytes.utf8(prefix + i);
      long time = store.now().toCompletableFuture().join();
      store
          .commit(WriteBatch.at(time).insert(key, Bytes.utf8("" + time)).build())
          .toCompletableFuture()
          .join();
      say(prefix + i + " " + time);
    }
  }

  /** Writes until a commit fails, then says how that and what follows fared. */
  private static void fill(RocksDbStore store) {
    Bytes value = Bytes.wrap(new byte[256 * 1_024]);
    for (int i = 0; ; i++) {
      WriteBatch batch = WriteBatch.at(i + 1).insert(Bytes.utf8("k" + i), value).build();
      String outcome = outcome(store, batch);
      if (outcome.equals("done")) {
        say("k" + i);
        continue;
      }
      say("failed " + outcome);
      say("again " + outcome(store, batch));
      say("next " + outcome(store, WriteBatch.at(i + 2).put(Bytes.utf8("n"), value).build()));
      say("read " + store.get(Bytes.utf8("k0")).toCompletableFuture().join().isPresent());
      say("seen " + store.get(Bytes.utf8("k" + i)).toCompletableFuture().join().isPresent());
      Runtime.getRuntime().halt(0);
    }
  }

  private static String outcome(RocksDbStore store, WriteBatch batch) {
    try {
      store.commit(batch).toCompletableFuture().join();
      return "done";
    } catch (CompletionException e) {
      return e.getCause().getClass().getSimpleName();
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
