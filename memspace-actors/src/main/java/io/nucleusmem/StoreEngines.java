package io.nucleusmem;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.rocksdb.RocksDbSettings;
import io.nucleusmem.store.rocksdb.RocksDbStore;
import io.nucleusmem.store.tikv.TikvSettings;
import io.nucleusmem.store.tikv.TikvStore;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;

/** The engines that {@code nucleusmem.store.engine} can name, and how each is opened. */
final class StoreEngines {
  private static final String ENGINE_PATH = "nucleusmem.store.engine";

  private static final Map<String, BiFunction<Config, Executor, KvStore>> BY_NAME =
      new TreeMap<>(
          Map.of(
              "rocksdb",
              (config, callbacks) -> RocksDbStore.open(RocksDbSettings.from(config), callbacks),
              "tikv",
              (config, callbacks) -> TikvStore.open(TikvSettings.from(config), callbacks)));

  private StoreEngines() {}

  /**
   * Opens the engine that the configuration names.
   *
   * @throws IllegalArgumentException if it names none, or one that does not exist
   */
  static KvStore open(Config config, Executor callbacks) {
    String engine = engineOf(config);
    BiFunction<Config, Executor, KvStore> opener = BY_NAME.get(engine);
    if (opener == null) {
      throw new IllegalArgumentException(
          "%s is [%s]; it must be one of %s".formatted(ENGINE_PATH, engine, BY_NAME.keySet()));
    }
    return opener.apply(config, callbacks);
  }

  private static String engineOf(Config config) {
    try {
      return config.getString(ENGINE_PATH);
    } catch (ConfigException.Missing e) {
      throw new IllegalArgumentException(
          "%s is not set; it must be one of %s".formatted(ENGINE_PATH, BY_NAME.keySet()), e);
    }
  }
}
