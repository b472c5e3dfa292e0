package io.nucleusmem.store.tikv.server;

/** The requests that the test server answers, to be counted and to be disturbed. */
public enum RequestKind {
  GET,
  BATCH_GET,
  SCAN,
  PREWRITE,
  COMMIT,
  BATCH_ROLLBACK,
  CLEANUP,
  CHECK_TXN_STATUS,
  RESOLVE_LOCK,
  TXN_HEART_BEAT,
  SCAN_LOCK,
  DELETE_RANGE,
  SPLIT_REGION,
  RAW_GET,

  // From here on they go to PD.
  GET_MEMBERS,
  TSO,
  GET_STORE,
  GET_ALL_STORES,
  GET_REGION,
  GET_PREV_REGION,
  GET_REGION_BY_ID,
  SCAN_REGIONS,
  GET_CLUSTER_CONFIG,
  SCATTER_REGION,
  GET_OPERATOR,
  GET_GC_SAFE_POINT,
  UPDATE_GC_SAFE_POINT,
  UPDATE_SERVICE_GC_SAFE_POINT;

  boolean isForStore() {
    return compareTo(GET_MEMBERS) < 0;
  }
}
