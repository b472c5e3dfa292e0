package io.nucleusmem.store;

/** What one commit can cover at full speed. */
public enum StoreScope {
  /** The whole store: rows derived from a commit may ride in it. */
  ALL,
  /**
   * Rows that lie side by side: a commit over rows that lie apart costs several round trips more.
   */
  REGION
}
