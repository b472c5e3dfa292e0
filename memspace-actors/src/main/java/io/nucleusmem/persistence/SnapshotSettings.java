package io.nucleusmem.persistence;

import com.typesafe.config.Config;
import io.nucleusmem.store.KvStore;

/** The block {@code nucleusmem.snapshot-store}; its keys are explained in reference.conf. */
record SnapshotSettings(long snapshotBytesMax, int pageRowsMax) {

  static final String PATH = "nucleusmem.snapshot-store";
  static final String SNAPSHOT_BYTES_MAX_PATH = PATH + ".snapshot-bytes-max";

  SnapshotSettings {
    Settings.check(
        SNAPSHOT_BYTES_MAX_PATH,
        snapshotBytesMax,
        1_024,
        KvStore.BATCH_BYTES_MAX - KvStore.KEY_BYTES_MAX);
    Settings.check(PATH + ".page-rows-max", pageRowsMax, 1, KvStore.SCAN_ROWS_MAX);
  }

  static SnapshotSettings from(Config config) {
    return new SnapshotSettings(
        config.getBytes("snapshot-bytes-max"), config.getInt("page-rows-max"));
  }
}
