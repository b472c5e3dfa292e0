package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Calls.Overtaken;
import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Finished;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.ReviewTask;
import io.nucleusmem.examples.desk.Desk.Taken;
import io.nucleusmem.examples.desk.Desk.Task;
import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What an analyst does with a document that it has claimed. Blocks.
 *
 * <p>The result, its place on the critic's pile and the end of the claim are one batch, written
 * under the claim's token and only if the document is still the one that was analysed. So a result
 * is written once, whoever else worked at the same document, and none is left without a critic.
 */
final class AnalystSteps {

  private static final int TRIES_MAX = 5;

  private final MountedSpace space;
  private final Calls calls;
  private final Tool analysis;
  private final String self;
  private final Duration lease;

  AnalystSteps(MountedSpace space, Tool analysis, String self, Duration lease) {
    this.space = space;
    this.calls = new Calls(space);
    this.analysis = analysis;
    this.self = self;
    this.lease = lease;
  }

  /**
   * Says what it has taken, analyses it, writes the result and tells the critic. Empty if there was
   * nothing to do, or the claim was lost.
   */
  Optional<Finished> work(Claim claim) {
    Task task = Desk.read(claim.entry(), Task.class);
    calls.publish(
        Desk.WORK_TOPIC,
        Desk.message(new Taken(task.path(), task.round(), claim.token())),
        Optional.empty(),
        "desk-taken-%020d".formatted(claim.token()));
    Optional<Finished> finished = analyse(claim, task);
    finished.ifPresent(this::tell);
    return finished;
  }

  private Optional<Finished> analyse(Claim claim, Task task) {
    Result result = null;
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<Entry> entry = calls.get(Desk.document(task.path()));
      long revision = entry.map(Entry::revision).orElse(0L);
      Optional<Document> document =
          entry.map(e -> Desk.read(e, Document.class)).filter(d -> d.hash().equals(task.hash()));
      try {
        if (document.isEmpty()) {
          drop(claim, task, revision);
          return Optional.empty();
        }
        if (result == null) {
          Optional<String> text = text(document.get());
          if (text.isEmpty()) {
            continue; // replaced while it was read: look again
          }
          result = analysis.of(task, self, text.get());
        }
        return Optional.of(commit(claim, task, result, revision));
      } catch (Overtaken e) {
        if (!stillHeld(claim)) {
          return Optional.empty(); // somebody else has it: the result is theirs
        }
      }
    }
    return Optional.empty(); // the lease runs out, and somebody takes it up again
  }

  private void tell(Finished finished) {
    calls.publish(
        Desk.REVIEW_TOPIC,
        Desk.message(finished),
        Optional.of(Desk.CRITIC),
        "desk-finished-%020d".formatted(finished.resultRevision()));
  }

  /**
   * Tells the critic again of results that he has not judged: after a restart, since the message
   * may not have left.
   */
  void tellUnjudged() {
    unjudged().forEach(this::tell);
  }

  private List<Finished> unjudged() {
    return calls.scan(ScanRequest.of(Region.TASK, Desk.REVIEWS)).stream()
        .map(entry -> Desk.read(entry, ReviewTask.class))
        .filter(task -> task.analyst().equals(self))
        .flatMap(task -> finished(task).stream())
        .toList();
  }

  private Optional<Finished> finished(ReviewTask task) {
    return calls
        .get(Desk.result(task.path()))
        .filter(
            entry -> {
              Result result = Desk.read(entry, Result.class);
              return result.hash().equals(task.hash()) && result.round() == task.round();
            })
        .map(e -> new Finished(task.path(), task.hash(), task.round(), e.revision()));
  }

  private Finished commit(Claim claim, Task task, Result result, long documentRevision)
      throws Overtaken {
    EntryKey review = Desk.review(task.path(), task.hash(), task.round());
    long revision =
        calls
            .tryWrite(
                List.of(
                    new Operation.Check(Desk.document(task.path()), documentRevision),
                    new Operation.Put(Desk.result(task.path()), Desk.json(result)),
                    new Operation.Put(
                        review,
                        Desk.json(new ReviewTask(task.path(), task.hash(), task.round(), self))),
                    end(claim)))
            .revision();
    return new Finished(task.path(), task.hash(), task.round(), revision);
  }

  /** The document is gone or has changed; a change has a place in the queue of its own. */
  private void drop(Claim claim, Task task, long documentRevision) throws Overtaken {
    calls.tryWrite(
        List.of(new Operation.Check(Desk.document(task.path()), documentRevision), end(claim)));
  }

  private static Operation end(Claim claim) {
    return new Operation.Delete(claim.entry().key(), Operation.ANY, OptionalLong.of(claim.token()));
  }

  private boolean stillHeld(Claim claim) {
    try {
      Calls.await(space.renew(claim.entry().key(), claim.token(), lease));
      return true;
    } catch (MemSpaceException e) {
      return false;
    }
  }

  /** Empty if a part is gone: the document was replaced. */
  private Optional<String> text(Document document) {
    var text = new StringBuilder(document.chars());
    for (int part = 1; part <= document.parts(); part++) {
      Optional<Entry> entry = calls.get(Desk.text(document.path(), document.hash(), part));
      if (entry.isEmpty()) {
        return Optional.empty();
      }
      text.append(entry.get().text());
    }
    return Optional.of(text.toString());
  }
}
