package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Finished;
import io.nucleusmem.examples.desk.Desk.Intake;
import io.nucleusmem.examples.desk.Desk.Judged;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Taken;
import io.nucleusmem.examples.desk.Desk.Verdict;
import io.nucleusmem.examples.desk.text.Extraction;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;

/** Says in words what an entry's version or a message means: one line each, or none. */
final class Conversation {

  /**
   * A line of the conversation.
   *
   * @param timestamp of the store: it orders lines of the space and of its topics as they happened
   * @param place revision, in the space or in a topic
   */
  record Line(long timestamp, String time, String place, String author, String text) {
    /** With time and place, in columns. */
    String inFull() {
      return "%s  %-10s  %-12s  %s".formatted(time, place, author, text);
    }

    /** For reading along. */
    String inShort() {
      return "%s  %-12s  %s".formatted(time.substring(TIME_OF_DAY), author, text);
    }
  }

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final int TIME_OF_DAY = "yyyy-MM-dd ".length();

  private Conversation() {}

  /** True if the version's content is needed to say what it means. */
  static boolean wantsContent(Signal signal) {
    EntryKey key = signal.key();
    return !signal.deleted()
        && (key.equals(Desk.ORDER)
            || (key.region() == Region.MEMORY && key.name().startsWith(Desk.DOCUMENTS))
            || key.region() == Region.SUMMARY);
  }

  /** What a version means; none where it only accompanies another one. */
  static Optional<Line> of(Signal signal, Optional<Content> content) {
    return text(signal, content)
        .map(
            text ->
                new Line(
                    signal.timestamp(),
                    TIME.format(signal.at()),
                    "r" + signal.revision(),
                    author(signal.author()),
                    oneLine(text)));
  }

  /** What a message says. */
  static Optional<Line> of(Message message) {
    return text(message)
        .map(
            text ->
                new Line(
                    message.timestamp(),
                    TIME.format(message.at()),
                    message.topic() + "/" + message.revision(),
                    author(message.sender()),
                    oneLine(message.to().map(to -> "-> " + author(to) + ": ").orElse("") + text)));
  }

  private static Optional<String> text(Signal signal, Optional<Content> content) {
    String name = signal.key().name();
    if (signal.key().region() == Region.MEMORY && name.startsWith(Desk.DOCUMENTS)) {
      String path = name.substring(Desk.DOCUMENTS.length());
      return Optional.of(
          signal.deleted()
              ? "takes " + path + " off the desk: the file is gone"
              : document(Desk.read(content.orElseThrow(), Document.class)));
    }
    if (signal.deleted() || content.isEmpty()) {
      return Optional.empty();
    }
    if (signal.key().equals(Desk.ORDER)) {
      return Optional.of("asks for a digest of " + Desk.read(content.get(), Order.class).folder());
    }
    if (signal.key().equals(Desk.INTAKE)) {
      return Optional.of(intake(Desk.read(content.get(), Intake.class)));
    }
    if (signal.key().equals(Desk.DIGEST)) {
      return Optional.of(digest(content.get()));
    }
    if (name.startsWith(Desk.RESULTS)) {
      return Optional.of(result(Desk.read(content.get(), Result.class)));
    }
    if (name.startsWith(Desk.VERDICTS)) {
      return Optional.of(verdict(Desk.read(content.get(), Verdict.class)));
    }
    if (name.startsWith(Desk.LEFT_OUT)) {
      return Optional.of(
          "leaves out " + name.substring(Desk.LEFT_OUT.length()) + ": " + content.get().text());
    }
    return Optional.empty();
  }

  private static Optional<String> text(Message message) {
    if (message.topic().equals(Desk.WORK_TOPIC)) {
      Taken taken = Desk.read(message.content(), Taken.class);
      return Optional.of(
          "takes %s%s (claim %d)".formatted(taken.path(), again(taken.round()), taken.token()));
    }
    if (!message.topic().equals(Desk.REVIEW_TOPIC)) {
      return Optional.empty();
    }
    if (Desk.isMessage(message.content(), Finished.class)) {
      Finished finished = Desk.read(message.content(), Finished.class);
      return Optional.of(
          "%s is done%s, see revision %d"
              .formatted(finished.path(), again(finished.round()), finished.resultRevision()));
    }
    Judged judged = Desk.read(message.content(), Judged.class);
    if (!judged.accepted()) {
      return Optional.of("%s please again: %s".formatted(judged.path(), judged.reason()));
    }
    return Optional.of(
        judged.path() + " is fine" + (judged.reason().isEmpty() ? "" : ", but " + judged.reason()));
  }

  private static String document(Document document) {
    return "puts %s on the desk (%d bytes, %s%s)"
        .formatted(
            document.path(),
            document.bytes(),
            document.encoding(),
            document.parts() > 1 ? ", in " + document.parts() + " parts" : "");
  }

  private static String intake(Intake intake) {
    if (!intake.problem().isEmpty()) {
      return "cannot read %s: %s".formatted(intake.folder(), intake.problem());
    }
    return "has read %s: %d documents, %d of them new or changed, %d unchanged, %d removed; %d left out"
        .formatted(
            intake.folder(),
            intake.documents(),
            intake.queued(),
            intake.unchanged(),
            intake.removed(),
            intake.leftOut());
  }

  private static String result(Result result) {
    Extraction found = result.extraction();
    return "finds in %s%s: %d headings, %d key sentences, %d dates, %d figures, %d links%s%s"
        .formatted(
            result.path(),
            again(result.round()),
            found.counts().headings(),
            found.keySentences().size(),
            found.counts().dates(),
            found.counts().figures(),
            found.counts().links(),
            result.method().equals(Result.EXTRACT) ? "" : "; summary by " + result.method(),
            result.note().isEmpty() ? "" : "; " + result.note());
  }

  private static String verdict(Verdict verdict) {
    String word = verdict.accepted() ? "accepts " : "sends back ";
    return word
        + verdict.path()
        + again(verdict.round())
        + (verdict.reason().isEmpty() ? "" : ": " + verdict.reason());
  }

  private static String digest(Content digest) {
    String done = digest.metadata().getOrDefault(EditorSteps.DONE, "?");
    String all = digest.metadata().getOrDefault(EditorSteps.DOCUMENTS, "?");
    boolean complete = !digest.metadata().getOrDefault(Desk.COMPLETE, "").isEmpty();
    return "writes the digest: %s of %s documents done%s"
        .formatted(done, all, complete ? ", complete" : "");
  }

  private static String again(int round) {
    return round > 1 ? " (round " + round + ")" : "";
  }

  private static String author(String name) {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  /** File names may hold anything; a line of output may not. */
  static String oneLine(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }
}
