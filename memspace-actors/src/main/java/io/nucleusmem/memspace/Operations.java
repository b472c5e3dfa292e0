package io.nucleusmem.memspace;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Long-running work that outlives the call that asked for it, and the process. An operation runs on
 * the node where it was started; when that is gone, another takes over, or says that it failed.
 * Finished ones are kept for {@code nucleusmem.operations.keep}.
 */
public interface Operations {
  /** Says how a kind of operation is done; once per kind and node, before any is started. */
  void register(String kind, OperationTask task);

  /**
   * Starts an operation; completes when it is written down, before it is done.
   *
   * @param arguments for its task, of what JSON has
   * @param about what the operation tells of itself, such as {@code space}
   * @throws MemSpaceException {@link ErrorCode#BUSY} where {@code running-max} run on this node
   */
  CompletionStage<OperationInfo> start(
      Principal caller, String kind, Map<String, Object> arguments, Map<String, Object> about);

  /**
   * An operation as it is now, for who started it and administrators; {@link
   * ErrorCode#OPERATION_NOT_FOUND}.
   */
  CompletionStage<OperationInfo> get(Principal caller, String id);

  /**
   * A page of operations, newest first: the caller's own, an administrator's all.
   *
   * @param state only those in this state
   */
  CompletionStage<Paged<OperationInfo>> list(
      Principal caller, Optional<OperationInfo.State> state, int limit, Optional<String> cursor);
}
