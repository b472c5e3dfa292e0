package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Calls.Overtaken;
import io.nucleusmem.examples.desk.Desk.Finished;
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
 * What the critic does with a result. Blocks. A verdict and what follows from it, a place in the
 * queue for a second round, are one batch; a result that was judged is not judged again, but the
 * answer is given again, as the first one may not have left.
 */
final class CriticSteps {

  private static final int TRIES_MAX = 10;

  private final Calls calls;

  CriticSteps(MountedSpace space) {
    this.calls = new Calls(space);
  }

  /**
   * An answer to be sent.
   *
   * @param to the analyst
   * @param verdictRevision makes the message's request id
   */
  record Answer(String to, Judged judged, long verdictRevision) {}

  /** Results that wait: what came while the critic was away. */
  List<ReviewTask> waiting() {
    return calls.scan(ScanRequest.of(Region.TASK, Desk.REVIEWS)).stream()
        .map(entry -> Desk.read(entry, ReviewTask.class))
        .toList();
  }

  /** Judges a result. Empty if it is not there any more. */
  Optional<Answer> judge(Finished finished) {
    for (int i = 0; i < TRIES_MAX; i++) {
      EntryKey pile = Desk.review(finished.path(), finished.hash(), finished.round());
      Optional<Entry> waiting = calls.get(pile);
      Optional<Entry> entry =
          calls
              .get(Desk.result(finished.path()))
              .filter(e -> isResultOf(finished, Desk.read(e, Result.class)));
      try {
        if (waiting.isEmpty()) {
          return entry.flatMap(e -> earlier(finished, Desk.read(e, Result.class)));
        }
        if (entry.isEmpty()) {
          calls.tryWrite(List.of(take(waiting.get())));
          return Optional.empty();
        }
        return Optional.of(judge(entry.get(), waiting.get()));
      } catch (Overtaken e) {
        continue; // replaced or removed meanwhile: look again
      }
    }
    throw new IllegalStateException(
        "[%s] was changed by others [%d] times in a row".formatted(finished.path(), TRIES_MAX));
  }

  private Answer judge(Entry entry, Entry waiting) throws Overtaken {
    Result result = Desk.read(entry, Result.class);
    Optional<String> weakness = Review.weakness(result);
    boolean accepted = weakness.isEmpty() || result.round() >= Desk.ROUNDS;
    var verdict =
        new Verdict(result.path(), result.hash(), result.round(), accepted, weakness.orElse(""));
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
    return answer(result, verdict, calls.tryWrite(batch).revision());
  }

  private Optional<Answer> earlier(Finished finished, Result result) {
    return calls
        .get(Desk.verdict(finished.path()))
        .flatMap(
            entry -> {
              Verdict verdict = Desk.read(entry, Verdict.class);
              return verdict.hash().equals(finished.hash()) && verdict.round() == finished.round()
                  ? Optional.of(answer(result, verdict, entry.revision()))
                  : Optional.empty();
            });
  }

  private static Answer answer(Result result, Verdict verdict, long revision) {
    return new Answer(
        result.analyst(),
        new Judged(
            verdict.path(), verdict.hash(), verdict.round(), verdict.accepted(), verdict.reason()),
        revision);
  }

  private static Operation take(Entry waiting) {
    return new Operation.Delete(waiting.key(), OptionalLong.of(waiting.revision()), Operation.ANY);
  }

  private static boolean isResultOf(Finished finished, Result result) {
    return result.hash().equals(finished.hash()) && result.round() == finished.round();
  }
}
