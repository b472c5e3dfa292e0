package io.nucleusmem.routing.embedding;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.typesafe.config.Config;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Texts as vectors of length 1, computed once per text and kept.
 *
 * <p>One per node, shared by all matchers. Safe for several threads; calls block for as long as the
 * model takes.
 */
public final class TextEmbeddings {
  /** Texts that the model is given at a time; it embeds them in parallel where that pays. */
  static final int BATCH_TEXTS_MAX = 256;

  private final EmbeddingModel model;
  private final int textCharsMax;
  private final Cache<String, float[]> kept;

  private TextEmbeddings(EmbeddingModel model, EmbeddingSettings settings) {
    this.model = model;
    this.textCharsMax = settings.textCharsMax();
    // evicts on the caller's thread: a busy common pool must not let it grow
    this.kept =
        Caffeine.newBuilder()
            .maximumSize(settings.cachedTextsMax())
            .executor(Runnable::run)
            .build();
  }

  /**
   * With the model that {@code nucleusmem.routing.embedding} names. Loads it: a second or so.
   *
   * @throws IllegalArgumentException for a setting that cannot be; it names the key
   * @throws IllegalStateException if the model is not there or cannot start
   */
  public static TextEmbeddings fromConfig(Config root) {
    EmbeddingSettings settings = EmbeddingSettings.from(root);
    return new TextEmbeddings(EmbeddingModels.load(settings), settings);
  }

  /** With a model of one's own; of the settings only the limits are used. */
  public static TextEmbeddings of(EmbeddingModel model, EmbeddingSettings settings) {
    return new TextEmbeddings(model, settings);
  }

  /**
   * The vector of a text. Of a text that is too long, the beginning and the end.
   *
   * @return of length 1; not to be changed
   * @throws IllegalArgumentException if the text is empty or blank
   * @throws IllegalStateException if the model answers with something that is no direction
   */
  public float[] embed(String text) {
    return embedAll(List.of(text)).get(0);
  }

  /** The vectors of texts, in their order; as {@link #embed} for each. */
  public List<float[]> embedAll(List<String> texts) {
    Map<String, float[]> found = new LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    List<String> keys = texts.stream().map(this::shortened).toList();
    for (String key : keys) {
      if (found.containsKey(key)) {
        continue;
      }
      float[] vector = kept.getIfPresent(key);
      found.put(key, vector);
      if (vector == null) {
        missing.add(key);
      }
    }
    for (int from = 0; from < missing.size(); from += BATCH_TEXTS_MAX) {
      List<String> batch = missing.subList(from, Math.min(missing.size(), from + BATCH_TEXTS_MAX));
      List<Embedding> embedded =
          model.embedAll(batch.stream().map(TextSegment::from).toList()).content();
      if (embedded.size() != batch.size()) {
        throw new IllegalStateException(
            "the embedding model answered [%d] texts with [%d] vectors"
                .formatted(batch.size(), embedded.size()));
      }
      for (int i = 0; i < batch.size(); i++) {
        float[] vector = direction(embedded.get(i).vector());
        kept.put(batch.get(i), vector);
        found.put(batch.get(i), vector);
      }
    }
    return keys.stream().map(found::get).toList();
  }

  /** The part of a text that is looked at. */
  String shortened(String text) {
    if (isEmpty(text)) {
      throw new IllegalArgumentException("the text is empty; it must have at least one letter");
    }
    if (text.length() <= textCharsMax) {
      return text;
    }
    int head = textCharsMax / 2;
    int tail = text.length() - (textCharsMax - head - 1);
    if (Character.isLowSurrogate(text.charAt(head))) {
      head--;
    }
    if (Character.isLowSurrogate(text.charAt(tail))) {
      tail++;
    }
    String part = text.substring(0, head) + "\n" + text.substring(tail);
    // nothing at both ends: then what stands between them
    return isEmpty(part) ? Character.toString(text.trim().codePointAt(0)) : part;
  }

  /** Whether there is nothing but white space and control characters. */
  static boolean isEmpty(String text) {
    return text.isBlank() || text.trim().isEmpty();
  }

  private static float[] direction(float[] vector) {
    double square = 0;
    for (float each : vector) {
      square += (double) each * each;
    }
    if (!(square > 0) || Double.isInfinite(square)) {
      throw new IllegalStateException(
          "the embedding model answered with a vector of [%d] numbers and the square [%s]; it must have a direction"
              .formatted(vector.length, square));
    }
    float[] unit = new float[vector.length];
    double norm = Math.sqrt(square);
    for (int i = 0; i < unit.length; i++) {
      unit[i] = (float) (vector[i] / norm);
    }
    return unit;
  }
}
