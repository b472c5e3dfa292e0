package io.nucleusmem.memspace;

import akka.NotUsed;
import akka.stream.Materializer;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/**
 * What becomes of a space's past: retention, erasure, quarantine, export. For its owner and
 * administrators. Long work is an operation, see {@link Operations}.
 */
public interface SpaceKeeping {
  /**
   * Compacts a space and its topics as its retention says.
   *
   * @param floor oldest revision that can be read afterwards, instead of what the policy says; for
   *     the space alone
   * @param dryRun true to tell what would go, and change nothing
   * @return the operation, of kind {@code compact}
   */
  CompletionStage<OperationInfo> compact(
      Principal caller, String space, OptionalLong floor, boolean dryRun);

  /**
   * Gives a fork copies of its own of all that it inherits, its topics too, so that it stands on
   * nothing else; a space that is no fork, or has them, stays as it is. Reads of any revision or
   * instant give the same before, during and after. Its base is let go some minutes later.
   *
   * @return the operation, of kind {@code flatten}
   */
  CompletionStage<OperationInfo> flatten(Principal caller, String space);

  /**
   * Erases. When the stage completes, nothing of it is shown on any node: not as of any instant, in
   * no history, watch, topic or fork; reads fail with {@link ErrorCode#ERASED}. The operation, of
   * kind {@code erase}, then removes the content from rows and files. Order, authors, instants and
   * receipts stay, with a tombstone that says who and why.
   *
   * @param what one of its kinds
   */
  CompletionStage<OperationInfo> erase(
      Principal caller, String space, Erasable what, String reason);

  /** What is to be erased: all versions that are there now. */
  sealed interface Erasable {
    /** Entries by name, 1 to 1,000. */
    record Keys(Region region, List<String> names) implements Erasable {}

    /** All entries whose names begin so; of all regions, if none is given. */
    record Prefix(Optional<Region> region, String prefix) implements Erasable {}

    /** All entries, and messages of the space's topics, whose metadata {@code subject} is this. */
    record Subject(String subject) implements Erasable {}
  }

  /**
   * Puts a version into quarantine: reads of it fail with {@link ErrorCode#QUARANTINED}, listings
   * show that it is there. Later versions of the key can be read.
   */
  CompletionStage<Void> quarantine(
      Principal caller, String space, EntryKey key, long revision, String reason);

  /** Takes a version out of quarantine. */
  CompletionStage<Void> release(Principal caller, String space, EntryKey key, long revision);

  /** The versions in quarantine. */
  CompletionStage<List<Quarantined>> quarantined(Principal caller, String space);

  /** A version in quarantine. */
  record Quarantined(EntryKey key, long revision, String by, String reason, Instant at) {}

  /**
   * A space with its history as one file, see DESIGN.md.
   *
   * @param at the instant that the file shows the space and its topics at; empty: now. The same
   *     instant gives the same bytes, unless something was compacted or erased meanwhile
   * @param from bytes of the file to leave out: what came of an export that was cut off
   */
  CompletionStage<Exported> export(Principal caller, String space, Optional<Instant> at, long from);

  /**
   * An export.
   *
   * @param at give it to {@link #export} to go on with the same file
   * @param bytes can be run once; fails if a compaction overtakes it
   */
  record Exported(Instant at, Source<ByteString, NotUsed> bytes) {}

  /**
   * Makes a space of a file. It is the caller's, with a read-write mount, equal to the exported one
   * revision by revision; rights, claims, subscriptions and forks do not travel. It appears when
   * the whole file has been read and checked, or not at all.
   *
   * @throws MemSpaceException {@link ErrorCode#DAMAGED_FILE} with {@code byte} and {@code block};
   *     {@link ErrorCode#SPACE_EXISTS}
   */
  CompletionStage<CreatedSpace> importSpace(
      Principal caller, String name, Source<ByteString, ?> bytes, Materializer materializer);
}
