package io.nucleusmem.store.rocksdb;

import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.util.Map;

/** The defaults, in a directory of the test's own. */
final class TestSettings {
  private TestSettings() {}

  static RocksDbSettings in(Path dir) {
    return with(dir, Map.of());
  }

  /** With keys of the block {@code nucleusmem.store.rocksdb} set otherwise. */
  static RocksDbSettings with(Path dir, Map<String, ?> keys) {
    return RocksDbSettings.from(
        ConfigFactory.parseMap(keys)
            .withValue("dir", ConfigFactory.parseMap(Map.of("dir", dir.toString())).getValue("dir"))
            .atPath("nucleusmem.store.rocksdb")
            .withFallback(ConfigFactory.parseResources("reference.conf")));
  }
}
