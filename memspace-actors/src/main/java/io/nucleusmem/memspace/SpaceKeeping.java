package io.nucleusmem.memspace;

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
}
