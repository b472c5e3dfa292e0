package io.nucleusmem.agent;

import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.receipts.Tape;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * What an agent would have done: a fresh instance of its behavior, on this node, gets what the
 * agent got; models, tools, clock and random numbers answer as they had; what it writes goes to a
 * fork. Stages fail with {@link io.nucleusmem.memspace.MemSpaceException}.
 */
public interface Reruns {
  /**
   * Begins one. The operation tells the {@code scratch} space, and where the rerun differs from
   * what was recorded for the first time ({@code diverged_at}). Its result has the versions that
   * the agent had made in the range and did not make again with the same content ({@code
   * not_repeated}): for a rerun of who read them, they are what to leave away too. Where something
   * is not on record, it has what that is, and from where on ({@code not_played}). A life that had
   * begun before the range begins anew, with the spaces as they were at its first input.
   *
   * @param fork the space that writes go to: a fork that is there, or a name for the one that is
   *     made, as of the first instant; the caller needs a mount of all that is forked
   * @param without versions that are to be as if they had never been
   * @return fails where the agent never lived or belongs to somebody else, its type is not on this
   *     node, or the range is empty
   */
  CompletionStage<OperationInfo> rerun(
      Principal caller,
      String agent,
      Instant from,
      Instant until,
      Optional<String> fork,
      Set<Tape.Without> without);
}
