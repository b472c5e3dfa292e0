package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What agents got: every version delivered through a mount, in the order of its delivery. No call
 * blocks. Stages fail with {@link io.nucleusmem.memspace.MemSpaceException}.
 *
 * <p>What an agent saw may be asked by the principal that spawned it and by administrators; who saw
 * a version, by the owner of its space and by administrators.
 */
public interface Receipts {
  /**
   * A page of what an agent got.
   *
   * @param from first instant; a millisecond includes all of itself. 1970: the oldest that is kept
   * @param until last instant
   * @param limit 1 to 1,000
   * @return fails with {@code AGENT_NOT_FOUND} where no agent of this name is known, {@code
   *     FORBIDDEN} where it was somebody else's, {@code COMPACTED} (with {@code oldest_at}) where
   *     the retention of receipts has let go of the beginning
   */
  CompletionStage<Paged<Receipt>> saw(
      Principal caller,
      String agent,
      Instant from,
      Instant until,
      int limit,
      Optional<String> cursor);

  /** From when on all receipts are kept; empty: none was ever let go. */
  CompletionStage<Optional<Instant>> oldest();

  /**
   * A page of who got a version, as far as receipts are kept: see {@link #oldest}.
   *
   * @param version with revision 0: all versions of its key
   * @param limit 1 to 1,000
   */
  CompletionStage<Paged<Receipt>> whoSaw(
      Principal caller, String space, SeenVersion version, int limit, Optional<String> cursor);

  /** A page of what an agent got, with the content. */
  CompletionStage<Paged<Replayed>> replay(
      Principal caller,
      String agent,
      Instant from,
      Instant until,
      int limit,
      Optional<String> cursor);

  /**
   * What a version may have led to. For the owner of its space and administrators; what lies in
   * spaces that the caller may not see is followed and not shown.
   */
  CompletionStage<Containment> containment(Principal caller, String space, SeenVersion version);
}
