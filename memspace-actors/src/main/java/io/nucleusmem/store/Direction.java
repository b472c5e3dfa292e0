package io.nucleusmem.store;

/** The order of a scan. */
public enum Direction {
  ASCENDING,
  DESCENDING
}
