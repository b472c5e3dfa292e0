package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Calls.Overtaken;
import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Intake;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Verdict;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.store.Bytes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * What the editor does: writes the digest of what lies on the desk at one revision. Blocks. The
 * digest is a function of that state, so it does not matter how often or by whom it is made.
 */
final class EditorSteps {

  static final String CONTENT_TYPE = "text/markdown; charset=utf-8";

  /** Metadata of a digest. */
  static final String DOCUMENTS = "documents";

  static final String DONE = "done";

  private final MountedSpace space;
  private final Calls calls;

  EditorSteps(MountedSpace space) {
    this.space = space;
    this.calls = new Calls(space);
  }

  /** Brings the digest up to date; true if it completes the run that was ordered last. */
  boolean update() {
    while (true) {
      Optional<Entry> before = calls.get(Desk.DIGEST);
      ReadAt state = ReadAt.revision(newestRevision());
      Optional<Order> order = get(Desk.ORDER, state, Order.class);
      Optional<Intake> intake = get(Desk.INTAKE, state, Intake.class);
      var sources =
          new Digest.Sources(
              intake.map(Intake::folder).orElse("a folder being read"),
              new TreeMap<>(
                  all(Region.MEMORY, Desk.DOCUMENTS, state, Document.class, Document::path)),
              all(Region.SUMMARY, Desk.RESULTS, state, Result.class, Result::path),
              all(Region.SUMMARY, Desk.VERDICTS, state, Verdict.class, Verdict::path),
              leftOut(state));
      if (intake.isEmpty() && sources.documents().isEmpty()) {
        return false; // nothing has been read yet
      }
      String run = order.map(Order::run).orElse("");
      boolean complete =
          sources.complete() && !run.isEmpty() && intake.map(Intake::run).orElse("").equals(run);
      Content digest =
          new Content(
              Bytes.utf8(Digest.render(sources)),
              CONTENT_TYPE,
              Map.of(
                  DOCUMENTS,
                  String.valueOf(sources.documents().size()),
                  DONE,
                  String.valueOf(sources.done()),
                  Desk.COMPLETE,
                  complete ? run : ""));
      if (before.isPresent() && before.get().content().equals(digest)) {
        return complete;
      }
      long revision = before.map(Entry::revision).orElse(0L);
      try {
        calls.tryWrite(
            List.of(
                new Operation.Put(
                    Desk.DIGEST, digest, OptionalLong.of(revision), Operation.ANY, false)));
        return complete;
      } catch (Overtaken e) {
        continue; // another editor, in a cluster that has just lost this one: read again
      }
    }
  }

  /** A scan tells the revision that it shows, whatever it finds. */
  private long newestRevision() {
    return Calls.await(
            space.scan(ScanRequest.of(Region.SUMMARY, Desk.DIGEST.name()).values(false).limit(1)))
        .revision();
  }

  private <T extends Record> Optional<T> get(EntryKey key, ReadAt at, Class<T> type) {
    return Calls.await(space.get(key, at)).map(entry -> Desk.read(entry, type));
  }

  private <T extends Record> Map<String, T> all(
      Region region, String prefix, ReadAt at, Class<T> type, Function<T, String> path) {
    Map<String, T> all = new HashMap<>();
    for (Entry entry : calls.scan(ScanRequest.of(region, prefix).at(at))) {
      T value = Desk.read(entry, type);
      all.put(path.apply(value), value);
    }
    return all;
  }

  private TreeMap<String, String> leftOut(ReadAt at) {
    var leftOut = new TreeMap<String, String>();
    for (Entry entry : calls.scan(ScanRequest.of(Region.SUMMARY, Desk.LEFT_OUT).at(at))) {
      leftOut.put(entry.key().name().substring(Desk.LEFT_OUT.length()), entry.text());
    }
    return leftOut;
  }
}
