package io.nucleusmem.memspace;

import akka.NotUsed;
import akka.stream.Materializer;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import java.time.Instant;
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
