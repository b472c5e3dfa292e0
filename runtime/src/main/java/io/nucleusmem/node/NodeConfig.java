package io.nucleusmem.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValue;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A node's configuration: the modules' {@code reference.conf}, over it the file that the operator
 * gave, over it system properties, over it what the command line says.
 *
 * <p>A key under {@code nucleusmem} that no {@code reference.conf} has is refused, with the nearest
 * one that exists: a misspelt limit is worse than none. An object that is empty in {@code
 * reference.conf} takes any keys, and so do dispatchers.
 */
public final class NodeConfig {
  private static final String ROOT = "nucleusmem";
  private static final String DISPATCHER = "-dispatcher";

  // the plugins take, besides their own, the keys of Akka's fall-backs
  private static final Map<String, String> FALLBACKS =
      Map.of(
          "nucleusmem.journal", "akka.persistence.journal-plugin-fallback",
          "nucleusmem.snapshot-store", "akka.persistence.snapshot-store-plugin-fallback",
          "nucleusmem.durable-state", "akka.persistence.state-plugin-fallback");

  // and these, which are in nobody's defaults
  private static final Set<String> ADAPTERS =
      Set.of("nucleusmem.journal.event-adapters", "nucleusmem.journal.event-adapter-bindings");

  private NodeConfig() {}

  /**
   * Loads it.
   *
   * @param file what the operator edits
   * @param overrides by path, from the command line
   * @throws com.typesafe.config.ConfigException names the file and line
   */
  public static Config load(Optional<Path> file, Map<String, ?> overrides) {
    Config given =
        ConfigFactory.parseMap(overrides, "command line")
            .withFallback(ConfigFactory.parseProperties(System.getProperties()));
    if (file.isPresent()) {
      ConfigParseOptions mustExist = ConfigParseOptions.defaults().setAllowMissing(false);
      given = given.withFallback(ConfigFactory.parseFile(file.get().toFile(), mustExist));
    }
    return complete(given);
  }

  /** Lays a configuration over the modules' own and resolves it. */
  static Config complete(Config given) {
    return given.withFallback(ConfigFactory.defaultReferenceUnresolved()).resolve();
  }

  /**
   * Refuses keys that nothing reads.
   *
   * @throws IllegalArgumentException names the first one, where it stands, and the nearest key
   */
  static void refuseUnknownKeys(Config config) {
    Config reference = ConfigFactory.defaultReference();
    refuse(ROOT, config.getConfig(ROOT).root(), known(reference, ROOT), reference);
  }

  private static void refuse(
      String path, ConfigObject given, ConfigObject known, Config reference) {
    given.forEach(
        (key, value) -> {
          String at = path + "." + key;
          ConfigValue there = known.get(key);
          if (there == null && ADAPTERS.contains(at)) {
            return;
          }
          if (there == null) {
            throw unknown(at, key, value, known);
          }
          if (value instanceof ConfigObject inner
              && there instanceof ConfigObject expected
              && !expected.isEmpty()
              && !key.endsWith(DISPATCHER)) {
            refuse(at, inner, known(reference, at), reference);
          }
        });
  }

  private static ConfigObject known(Config reference, String path) {
    ConfigObject own = reference.getObject(path);
    String fallback = FALLBACKS.get(path);
    return fallback != null && reference.hasPath(fallback)
        ? own.withFallback(reference.getObject(fallback))
        : own;
  }

  private static IllegalArgumentException unknown(
      String path, String key, ConfigValue value, ConfigObject known) {
    String nearest =
        known.keySet().stream()
            .min(
                Comparator.comparingInt((String name) -> distance(key, name)).thenComparing(s -> s))
            .orElse("");
    String parent = path.substring(0, path.length() - key.length());
    return new IllegalArgumentException(
        "%s (%s) is no key of NucleusMem; the nearest one is %s%s"
            .formatted(path, value.origin().description(), parent, nearest));
  }

  /** Levenshtein's distance: insertions, deletions and replacements of a character. */
  static int distance(String a, String b) {
    int[] row = Stream.iterate(0, i -> i + 1).limit(b.length() + 1L).mapToInt(i -> i).toArray();
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
