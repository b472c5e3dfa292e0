package io.nucleusmem.examples.desk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.nucleusmem.examples.desk.text.Extraction;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Region;
import java.util.List;
import java.util.Map;

/**
 * What lies on the desk: the names and forms of all entries and messages that the agents share.
 *
 * <p>Every name follows from a document's path, its content and the round of its analysis, so an
 * agent that dies and starts again writes the same names again, and nothing twice:
 *
 * <pre>
 * memory:order                       what the reader is to read                       (whoever starts it)
 * memory:document/PATH               a document: hash, encoding, number of parts             (reader)
 * memory:text/PATH/HASH/PART         its text, in parts that fit into a value                (reader)
 * task:queue/PATH/HASH/ROUND         to be analysed: claimed by one analyst          (reader, critic)
 * task:review/PATH/HASH/ROUND        to be reviewed                                        (analysts)
 * summary:result/PATH                the newest result; its versions are the rounds        (analysts)
 * summary:verdict/PATH               what the critic says of it                              (critic)
 * summary:left-out/PATH              what was not read, and why                              (reader)
 * summary:intake                     how the reading went; written last                      (reader)
 * summary:digest                     the digest, Markdown                                    (editor)
 * topic work                         who has taken which document                          (analysts)
 * topic review                       analysts to the critic and back
 * </pre>
 */
final class Desk {

  static final String SPACE = "desk";

  static final String READER = "reader";
  static final String ANALYST = "analyst";
  static final String CRITIC = "critic";
  static final String EDITOR = "editor";

  static final EntryKey ORDER = EntryKey.of("order");
  static final EntryKey INTAKE = summary("intake");
  static final EntryKey DIGEST = summary("digest");

  static final String DOCUMENTS = "document/";
  static final String TEXTS = "text/";
  static final String QUEUE = "queue/";
  static final String REVIEWS = "review/";
  static final String RESULTS = "result/";
  static final String VERDICTS = "verdict/";
  static final String LEFT_OUT = "left-out/";

  static final String WORK_TOPIC = "work";
  static final String REVIEW_TOPIC = "review";

  /** The analysis of a document is sent back at most once. */
  static final int ROUNDS = 2;

  /** Metadata of a complete digest: the run that it completes. */
  static final String COMPLETE = "complete";

  private static final String KIND = "kind";
  private static final int HASH_CHARS = 16;

  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /**
   * What the reader is to read. A new run takes up the work of the one before.
   *
   * @param own files and folders that belong to the desk itself and are no documents, such as the
   *     digest
   */
  record Order(String run, String folder, DocumentFolder.Kind kind, List<String> own) {
    Order {
      own = List.copyOf(own);
    }
  }

  /** A document on the desk. */
  record Document(String path, String hash, String encoding, long bytes, int chars, int parts) {}

  /**
   * A document that waits for an analyst.
   *
   * @param round from 1
   * @param reason why it is to be done again; empty in the first round
   */
  record Task(String path, String hash, int round, String reason) {}

  /** A result that waits for the critic. */
  record ReviewTask(String path, String hash, int round, String analyst) {}

  /**
   * What an analyst found.
   *
   * @param method how the summary was made: {@link #EXTRACT} or {@code llm MODEL}
   * @param summary the model's; empty where the key sentences stand for it
   * @param unsupported numbers of the summary that the text does not have
   * @param note what the reader of the digest should know, such as a model that failed
   */
  record Result(
      String path,
      String hash,
      int round,
      String analyst,
      String method,
      String summary,
      List<String> unsupported,
      String note,
      Extraction extraction) {
    static final String EXTRACT = "extract";

    Result {
      unsupported = List.copyOf(unsupported);
    }
  }

  /**
   * What the critic says of a result.
   *
   * @param accepted false: it was sent back
   * @param reason what is wrong with it; empty if nothing
   */
  record Verdict(String path, String hash, int round, boolean accepted, String reason) {}

  /**
   * How the reading of an order went.
   *
   * @param problem why the folder could not be read; empty if it could
   */
  record Intake(
      String run,
      String folder,
      int documents,
      int queued,
      int unchanged,
      int removed,
      int leftOut,
      String problem) {}

  /** Message on the topic {@code work}: an analyst has taken a document. */
  record Taken(String path, int round, long token) {}

  /** Message to the critic: a result is there. */
  record Finished(String path, String hash, int round, long resultRevision) {}

  /** Message to an analyst: what the critic says. */
  record Judged(String path, String hash, int round, boolean accepted, String reason) {}

  private Desk() {}

  static EntryKey document(String path) {
    return EntryKey.of(DOCUMENTS + path);
  }

  static String textPrefix(String path) {
    return TEXTS + path + "/";
  }

  /** A part of a text, from 1. */
  static EntryKey text(String path, String hash, int part) {
    return EntryKey.of("%s%s/%05d".formatted(textPrefix(path), shortHash(hash), part));
  }

  static EntryKey queue(String path, String hash, int round) {
    return EntryKey.task(QUEUE + path + "/" + shortHash(hash) + "/" + round);
  }

  static EntryKey review(String path, String hash, int round) {
    return EntryKey.task(REVIEWS + path + "/" + shortHash(hash) + "/" + round);
  }

  static EntryKey result(String path) {
    return summary(RESULTS + path);
  }

  static EntryKey verdict(String path) {
    return summary(VERDICTS + path);
  }

  static EntryKey leftOut(String path) {
    return summary(LEFT_OUT + path);
  }

  private static EntryKey summary(String name) {
    return new EntryKey(Region.SUMMARY, name);
  }

  private static String shortHash(String hash) {
    return hash.substring(0, HASH_CHARS);
  }

  /** A record as the content of an entry or message. */
  static Content json(Record value) {
    try {
      return Content.json(JSON.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot write " + value.getClass().getSimpleName(), e);
    }
  }

  /** A record as a message, which tells its kind: one topic carries several. */
  static Content message(Record value) {
    return json(value).withMetadata(Map.of(KIND, value.getClass().getSimpleName()));
  }

  /** True if a message is of a kind. */
  static boolean isMessage(Content content, Class<? extends Record> type) {
    return type.getSimpleName().equals(content.metadata().get(KIND));
  }

  /** The record that an entry or message holds. */
  static <T extends Record> T read(Content content, Class<T> type) {
    try {
      return JSON.readValue(content.text(), type);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(
          "no %s: [%s]".formatted(type.getSimpleName(), content.text()), e);
    }
  }

  static <T extends Record> T read(Entry entry, Class<T> type) {
    return read(entry.content(), type);
  }
}
