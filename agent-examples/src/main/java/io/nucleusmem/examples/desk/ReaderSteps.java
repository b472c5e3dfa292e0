package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Calls.Overtaken;
import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Intake;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.examples.desk.Desk.Task;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What the reader does: brings the desk into line with a folder. Blocks.
 *
 * <p>A document and its place in the queue are written in one batch, after its text; so whatever
 * document is there is queued or further, and a reader that was killed can simply begin anew.
 */
final class ReaderSteps {

  private static final int TRIES_MAX = 20;
  private static final int PARTS_PER_BATCH = 5; // 3.75 of the 4 MiB of a batch
  private static final int OPERATIONS_PER_BATCH = 100;

  private final Calls calls;

  ReaderSteps(MountedSpace space) {
    this.calls = new Calls(space);
  }

  /** The order that is not carried out yet, if there is one. */
  Optional<Order> openOrder() {
    Optional<Order> order = calls.get(Desk.ORDER).map(entry -> Desk.read(entry, Order.class));
    Optional<Intake> done = calls.get(Desk.INTAKE).map(entry -> Desk.read(entry, Intake.class));
    return order.filter(o -> done.isEmpty() || !done.get().run().equals(o.run()));
  }

  /** Carries out an order; a folder that cannot be read leaves the desk as it is. */
  Intake carryOut(Order order) {
    Path folder = Path.of(order.folder());
    String name = folder.getFileName() == null ? "/" : folder.getFileName().toString();
    DocumentFolder.Listing listing;
    try {
      Set<Path> own = order.own().stream().map(Path::of).collect(Collectors.toSet());
      listing = DocumentFolder.list(folder, order.kind(), own);
    } catch (IOException e) {
      return finish(new Intake(order.run(), name, 0, 0, 0, 0, 0, e.toString()));
    }
    Map<String, Document> known = new HashMap<>();
    for (Entry entry : calls.scan(ScanRequest.of(Region.MEMORY, Desk.DOCUMENTS))) {
      Document document = Desk.read(entry, Document.class);
      known.put(document.path(), document);
    }

    var leftOut = new TreeMap<String, String>();
    listing.leftOut().forEach(each -> leftOut.put(each.path(), each.reason()));
    int documents = 0;
    int queued = 0;
    for (String path : listing.documents()) {
      Reading reading = DocumentFile.read(folder.resolve(path), path);
      if (reading instanceof Reading.Document document) {
        documents++;
        Document before = known.remove(path);
        if (before == null || !before.hash().equals(document.hash())) {
          put(document);
          queued++;
        }
      } else if (reading instanceof Reading.LeftOut file) {
        leftOut.put(path, file.reason());
      }
    }
    for (String path : known.keySet()) {
      remove(path);
    }
    replaceLeftOut(leftOut);

    return finish(
        new Intake(
            order.run(),
            name,
            documents,
            queued,
            documents - queued,
            known.size(),
            leftOut.size(),
            ""));
  }

  private Intake finish(Intake intake) {
    calls.write(List.of(new Operation.Put(Desk.INTAKE, Desk.json(intake))));
    return intake;
  }

  /** Writes a new or changed document: first its text, then itself and its place in the queue. */
  private void put(Reading.Document read) {
    List<String> parts = TextParts.of(read.text());
    for (int from = 0; from < parts.size(); from += PARTS_PER_BATCH) {
      var batch = new ArrayList<Operation>();
      for (int i = from; i < Math.min(parts.size(), from + PARTS_PER_BATCH); i++) {
        EntryKey key = Desk.text(read.path(), read.hash(), i + 1);
        batch.add(new Operation.Put(key, Content.text(parts.get(i))));
      }
      calls.write(batch);
    }
    var document =
        new Document(
            read.path(),
            read.hash(),
            read.encoding(),
            read.bytes(),
            read.text().length(),
            parts.size());
    untilNotOvertaken(
        read.path(),
        () -> {
          EntryKey key = Desk.document(read.path());
          EntryKey queue = Desk.queue(read.path(), read.hash(), 1);
          long revision = revision(calls.get(key));
          long queued = revision(calls.get(queue));
          var batch = new ArrayList<Operation>();
          batch.add(put(key, Desk.json(document), revision));
          batch.add(
              queued > 0
                  ? new Operation.Check(queue, queued)
                  : put(queue, Desk.json(new Task(read.path(), read.hash(), 1, "")), 0));
          String ownText = Desk.text(read.path(), read.hash(), 1).name();
          String own = ownText.substring(0, ownText.lastIndexOf('/') + 1);
          texts(read.path()).stream()
              .filter(text -> !text.key().name().startsWith(own))
              .forEach(text -> batch.add(new Operation.Delete(text.key())));
          calls.tryWrite(batch);
        });
  }

  /**
   * Takes a document off the desk, with what was said of it. Its place in a queue stays: it may be
   * claimed; whoever takes it next finds no document and drops it.
   */
  private void remove(String path) {
    untilNotOvertaken(
        path,
        () -> {
          var batch = new ArrayList<Operation>();
          for (EntryKey key : List.of(Desk.document(path), Desk.result(path), Desk.verdict(path))) {
            Optional<Entry> entry = calls.get(key);
            batch.add(
                entry.isPresent()
                    ? new Operation.Delete(
                        key, OptionalLong.of(entry.get().revision()), Operation.ANY)
                    : new Operation.Check(key, 0));
          }
          texts(path).forEach(text -> batch.add(new Operation.Delete(text.key())));
          calls.tryWrite(batch);
        });
  }

  private void replaceLeftOut(Map<String, String> leftOut) {
    var missing = new TreeMap<>(leftOut);
    var batch = new ArrayList<Operation>();
    for (Entry entry : calls.scan(ScanRequest.of(Region.SUMMARY, Desk.LEFT_OUT))) {
      String path = entry.key().name().substring(Desk.LEFT_OUT.length());
      if (!leftOut.containsKey(path)) {
        batch.add(new Operation.Delete(entry.key()));
      } else if (entry.text().equals(leftOut.get(path))) {
        missing.remove(path);
      }
    }
    missing.forEach(
        (path, reason) -> batch.add(new Operation.Put(Desk.leftOut(path), Content.text(reason))));
    for (int from = 0; from < batch.size(); from += OPERATIONS_PER_BATCH) {
      calls.write(batch.subList(from, Math.min(batch.size(), from + OPERATIONS_PER_BATCH)));
    }
  }

  /** The entries of a document's text, without values. Another document's may share the prefix. */
  private List<Entry> texts(String path) {
    String prefix = Desk.textPrefix(path);
    return calls.scan(ScanRequest.of(Region.MEMORY, prefix).values(false)).stream()
        .filter(text -> text.key().name().substring(prefix.length()).matches("[0-9a-f]{16}/\\d{5}"))
        .toList();
  }

  private interface Step {
    void run() throws Overtaken;
  }

  private static void untilNotOvertaken(String path, Step step) {
    for (int i = 1; ; i++) {
      try {
        step.run();
        return;
      } catch (Overtaken e) {
        if (i == TRIES_MAX) {
          throw new IllegalStateException(
              "[%s] was changed by others [%d] times in a row".formatted(path, i), e);
        }
      }
    }
  }

  private static Operation put(EntryKey key, Content content, long revision) {
    return new Operation.Put(key, content, OptionalLong.of(revision), Operation.ANY, false);
  }

  private static long revision(Optional<Entry> entry) {
    return entry.map(Entry::revision).orElse(0L);
  }
}
