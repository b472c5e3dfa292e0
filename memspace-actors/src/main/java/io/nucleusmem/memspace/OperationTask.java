package io.nucleusmem.memspace;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Does the work of one kind of operation. */
@FunctionalInterface
public interface OperationTask {
  /**
   * Does it. Must not block the caller's thread.
   *
   * @return the result by names, as JSON can have it; a failure becomes the operation's error
   */
  CompletionStage<Map<String, Object>> run(OperationRun run);

  /**
   * True if the work may be done again from its beginning when its node has died in the middle:
   * then it is, on any node that knows its kind. Else it is reported as failed.
   */
  default boolean isResumable() {
    return true;
  }
}
