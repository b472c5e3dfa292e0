package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Calls.Overtaken;
import io.nucleusmem.examples.desk.Desk.Judged;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.ReviewTask;
import io.nucleusmem.examples.desk.Desk.Task;
import io.nucleusmem.examples.desk.Desk.Verdict;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the critic does with a result. Blocks. The answer leaves first, then the verdict is written,
 * with what follows from it, a place in the queue for a second round, in one batch. Killed in
 * between, the critic finds the result still waiting and gives the same answer under the same
 * request id, which is one message.
 */
final class CriticSteps {

  private static final int TRIES_MAX = 10;

  private final Calls calls;

  CriticSteps(MountedSpace space) {
    this.calls = new Calls(space);
  }

  /** Judges whatever waits: what came while the critic was away. */
  void judgeWaiting() {
    for (Entry entry : calls.scan(ScanRequest.of(Region.TASK, Desk.REVIEWS))) {
      ReviewTask task = Desk.read(entry, ReviewTask.class);
      judge(task.path(), task.hash(), task.round());
    }
  }

  /** Judges a result. Empty if it was judged before, or is not there any more. */
  Optional<Verdict> judge(String path, String hash, int round) {
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<Entry> waiting = calls.get(Desk.review(path, hash, round));
      if (waiting.isEmpty()) {
        return Optional.empty();
      }
      Optional<Entry> entry =
          calls
              .get(Desk.result(path))
              .filter(
                  e -> {
                    Result result = Desk.read(e, Result.class);
                    return result.hash().equals(hash) && result.round() == round;
                  });
      try {
        if (entry.isEmpty()) {
          calls.tryWrite(List.of(take(waiting.get()))); // replaced or removed: no need to judge it
          return Optional.empty();
        }
        return Optional.of(judge(entry.get(), waiting.get()));
      } catch (Overtaken e) {
        continue; // replaced or removed meanwhile: look again
      }
    }
    throw new IllegalStateException(
        "[%s] was changed by others [%d] times in a row".formatted(path, TRIES_MAX));
  }

  private Verdict judge(Entry entry, Entry waiting) throws Overtaken {
    Result result = Desk.read(entry, Result.class);
    Optional<String> weakness = Review.weakness(result);
    boolean accepted = weakness.isEmpty() || result.round() >= Desk.ROUNDS;
    var verdict =
        new Verdict(result.path(), result.hash(), result.round(), accepted, weakness.orElse(""));
    calls.publish(
        Desk.REVIEW_TOPIC,
        Desk.message(
            new Judged(result.path(), result.hash(), result.round(), accepted, verdict.reason())),
        Optional.of(result.analyst()),
        "desk-judged-%020d".formatted(entry.revision()));

    var batch = new ArrayList<Operation>();
    batch.add(new Operation.Check(entry.key(), entry.revision()));
    batch.add(take(waiting));
    batch.add(new Operation.Put(Desk.verdict(result.path()), Desk.json(verdict)));
    if (!accepted) {
      int round = result.round() + 1;
      EntryKey queue = Desk.queue(result.path(), result.hash(), round);
      if (calls.get(queue).isEmpty()) {
        Task task = new Task(result.path(), result.hash(), round, verdict.reason());
        batch.add(
            new Operation.Put(queue, Desk.json(task), Operation.ABSENT, Operation.ANY, false));
      }
    }
    calls.tryWrite(batch);
    return verdict;
  }

  private static Operation take(Entry waiting) {
    return new Operation.Delete(waiting.key(), OptionalLong.of(waiting.revision()), Operation.ANY);
  }
}
