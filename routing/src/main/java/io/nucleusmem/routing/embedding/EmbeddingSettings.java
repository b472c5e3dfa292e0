package io.nucleusmem.routing.embedding;

import com.typesafe.config.Config;
import java.nio.file.Path;

/**
 * Configuration {@code nucleusmem.routing.embedding}; see reference.conf.
 *
 * @param modelClass an {@code EmbeddingModel} with a public constructor without parameters
 * @param cacheDir where native libraries are unpacked; made if it is missing
 * @param textCharsMax of a longer text, the beginning and the end count, together so long
 * @param cachedTextsMax embeddings kept, each of some 2 KiB
 */
public record EmbeddingSettings(
    String modelClass, Path cacheDir, int textCharsMax, int cachedTextsMax) {
  static final String PATH = "nucleusmem.routing.embedding";
  private static final int TEXT_CHARS_LEAST = 64;
  private static final int TEXT_CHARS_MOST = 100_000;
  private static final int CACHED_MOST = 1_000_000;

  public EmbeddingSettings {
    if (modelClass.isBlank()) {
      throw refused("model", "''", "the name of a class");
    }
    inside("text-chars-max", textCharsMax, TEXT_CHARS_LEAST, TEXT_CHARS_MOST);
    inside("cached-texts-max", cachedTextsMax, 0, CACHED_MOST);
  }

  /**
   * Reads and checks.
   *
   * @throws IllegalArgumentException with the key, its value and what would be accepted
   */
  public static EmbeddingSettings from(Config root) {
    Config config = root.getConfig(PATH);
    String dir = config.getString("cache-dir");
    return new EmbeddingSettings(
        config.getString("model"),
        dir.isBlank()
            ? Path.of(System.getProperty("java.io.tmpdir"))
                .resolve("nucleusmem-embedding-" + System.getProperty("user.name", "user"))
            : Path.of(dir),
        config.getInt("text-chars-max"),
        config.getInt("cached-texts-max"));
  }

  private static void inside(String key, int value, int least, int most) {
    if (value < least || value > most) {
      throw refused(key, String.valueOf(value), "from " + least + " to " + most);
    }
  }

  private static IllegalArgumentException refused(String key, String value, String accepted) {
    return new IllegalArgumentException(
        "%s.%s is [%s]; it must be %s".formatted(PATH, key, value, accepted));
  }
}
