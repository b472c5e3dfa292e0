package io.nucleusmem.examples.bench;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What writes and reads cost on TiKV, in requests and Raft writes, counted by a test server of its
 * protocol: for a space that lies in several regions. How long they take there says nothing of
 * TiKV.
 */
final class TikvPrices {
  static final String NAME = "tikv/";
  private static final int ALONE = 300; // writes and reads of one caller
  private static final int CALLERS = 64;
  private static final int EACH = 200; // writes of each
  private static final int SIZE = 256;
  private static final double NONE = Double.NaN; // no baseline

  private final AtomicLong n = new AtomicLong();

  /** Counts. */
  void run(Path dir, Report into) throws Exception {
    try (TikvProcess server = new TikvProcess();
        BenchNode node =
            new BenchNode(
                dir,
                "10m",
                Map.of(
                    "nucleusmem.store.engine",
                    "tikv",
                    "nucleusmem.store.tikv.pd-endpoints",
                    List.of(server.pd()),
                    // it is not time that is measured here: a busy machine changes nothing
                    "nucleusmem.store.tikv.connect-timeout",
                    "60s",
                    "nucleusmem.store.tikv.request-timeout",
                    "30s",
                    "nucleusmem.store.tikv.operation-timeout",
                    "60s",
                    "nucleusmem.node.store-timeout",
                    "60s"))) {
      MountedSpace space = node.space();
      together(space);
      server.split();
      together(space);
      alone(server, space, into);
      together(server, space, into);
    }
  }

  private void alone(TikvProcess server, MountedSpace space, Report into) throws Exception {
    Map<String, Integer> write = least(server, () -> Rounds.put(space, n, SIZE).join());
    into.add(NAME + "1/prewrites", write.get("commit-prewrites"), "/commit", NONE, "1");
    into.add(NAME + "1/requests", write.get("requests"), "/commit", NONE, "2");
    into.add(NAME + "1/raft-writes", write.get("raft-writes"), "/commit", NONE, "1");
    EntryKey key = EntryKey.of("read");
    BenchNode.await(space.put(key, Content.bytes(Rounds.value(SIZE))));
    Map<String, Integer> read = least(server, () -> BenchNode.await(space.get(key)));
    into.add(NAME + "get/requests", read.get("requests"), "/read", NONE, "-");
  }

  /**
   * Of calls that come one after the other, the one that cost least: the others were joined by what
   * is written behind the log every 50 ms.
   */
  private static Map<String, Integer> least(TikvProcess server, Callable<?> call) throws Exception {
    Map<String, Integer> least = null;
    for (int i = 0; i < ALONE; i++) {
      server.reset();
      call.call();
      Map<String, Integer> counts = server.counts();
      if (least == null || counts.get("requests") < least.get("requests")) {
        least = counts;
      }
    }
    return least;
  }

  private void together(TikvProcess server, MountedSpace space, Report into) throws Exception {
    server.reset();
    together(space);
    Map<String, Integer> counts = server.counts();
    double puts = CALLERS * EACH;
    String name = NAME + CALLERS;
    double commits = counts.get("commits");
    into.add(name + "/prewrites", counts.get("commit-prewrites") / commits, "/commit", NONE, "1");
    into.add(name + "/puts", puts / commits, "/commit", NONE, "-");
    // with all that is written behind the log
    into.add(name + "/puts-per-raft-write", puts / counts.get("raft-writes"), "", NONE, "8");
    into.add(name + "/requests-per-put", counts.get("requests") / puts, "", NONE, "-");
  }

  private void together(MountedSpace space) throws Exception {
    List<Thread> callers = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      Thread caller =
          new Thread(
              () -> {
                try {
                  for (int put = 0; put < EACH; put++) {
                    Rounds.put(space, n, SIZE).join();
                  }
                } catch (RuntimeException failure) {
                  synchronized (failures) {
                    failures.add(failure);
                  }
                }
              },
              "caller-" + i);
      callers.add(caller);
      caller.start();
    }
    for (Thread caller : callers) {
      caller.join();
    }
    if (!failures.isEmpty()) {
      throw new IllegalStateException("a caller failed", failures.get(0));
    }
  }
}
