package io.nucleusmem.persistence;

import com.typesafe.config.Config;
import io.nucleusmem.store.KvStore;

/** The block {@code nucleusmem.durable-state}; its keys are explained in reference.conf. */
record DurableStateSettings(long stateBytesMax) {

  static final String PATH = "nucleusmem.durable-state";
  static final String STATE_BYTES_MAX_PATH = PATH + ".state-bytes-max";

  DurableStateSettings {
    Settings.check(
        STATE_BYTES_MAX_PATH,
        stateBytesMax,
        1_024,
        KvStore.BATCH_BYTES_MAX - 5L * KvStore.KEY_BYTES_MAX);
  }

  static DurableStateSettings from(Config config) {
    return new DurableStateSettings(config.getBytes("state-bytes-max"));
  }
}
