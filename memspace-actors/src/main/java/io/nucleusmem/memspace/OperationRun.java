package io.nucleusmem.memspace;

import java.util.Map;

/** One run of an operation, as its task sees it. May be used by any thread. */
public interface OperationRun {
  /** Names the operation. */
  String id();

  /** Who asked for it. */
  Principal caller();

  /** What it was asked to do, as JSON has it: whole numbers are {@code Integer} or {@code Long}. */
  Map<String, Object> arguments();

  /** True if an earlier run, on this node or another, did not come to its end. */
  boolean isResumed();

  /** True once the node is stopping or another node has taken over: the task should give up. */
  boolean isStopped();

  /** Tells how far it is; written down within a second or two. */
  void progress(String name, Object value);

  /** Adds to what the operation tells of itself from now on. */
  void about(String name, Object value);
}
