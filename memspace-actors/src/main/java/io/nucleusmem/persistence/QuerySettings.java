package io.nucleusmem.persistence;

import com.typesafe.config.Config;
import io.nucleusmem.store.KvStore;
import java.time.Duration;

/** The block {@code nucleusmem.query}; its keys are explained in reference.conf. */
record QuerySettings(
    String journalPlugin, Duration refreshInterval, Duration idsRefreshInterval, int pageRowsMax) {

  static final String PATH = "nucleusmem.query";

  QuerySettings {
    var min = Duration.ofMillis(1);
    Settings.check(PATH + ".refresh-interval", refreshInterval, min);
    Settings.check(PATH + ".ids-refresh-interval", idsRefreshInterval, min);
    Settings.check(PATH + ".page-rows-max", pageRowsMax, 1, KvStore.SCAN_ROWS_MAX);
  }

  static QuerySettings from(Config config) {
    return new QuerySettings(
        config.getString("journal-plugin"),
        config.getDuration("refresh-interval"),
        config.getDuration("ids-refresh-interval"),
        config.getInt("page-rows-max"));
  }
}
