package io.nucleusmem.routing.embedding;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Vectors that a test can foresee: a text "3:5" points along axis 3, a little aside by a noise that
 * 5 seeds; "3+4:1" lies between two axes; any other text points along the last axis.
 */
final class ScriptedEmbeddings implements EmbeddingModel {
  static final int DIMENSION = 64;
  private static final double NOISE = 0.06;

  final List<String> asked = new ArrayList<>();

  static EmbeddingSettings settings() {
    return new EmbeddingSettings("scripted", Path.of("unused"), 200, 10_000);
  }

  static TextEmbeddings embeddings() {
    return TextEmbeddings.of(new ScriptedEmbeddings(), settings());
  }

  static Route route(String name, String description, String... examples) {
    return new Route(name, new Target.Agent(name), description, List.of(examples), Map.of());
  }

  /** A route along an axis with that many examples. */
  static Route along(String name, int axis, int examples) {
    String[] texts = new String[examples];
    for (int i = 0; i < examples; i++) {
      texts[i] = "%d:%d".formatted(axis, i);
    }
    return route(name, "", texts);
  }

  @Override
  public Response<List<Embedding>> embedAll(List<TextSegment> texts) {
    texts.forEach(text -> asked.add(text.text()));
    return Response.from(texts.stream().map(text -> Embedding.from(vector(text.text()))).toList());
  }

  private static float[] vector(String text) {
    float[] vector = new float[DIMENSION];
    if (!text.matches("\\d+(\\+\\d+)?:\\d+")) {
      vector[DIMENSION - 1] = 3;
      return vector;
    }
    String[] parts = text.split(":");
    Random random = new Random(31L * text.hashCode() + 7);
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = (float) (NOISE * random.nextGaussian());
    }
    for (String axis : parts[0].split("\\+")) {
      vector[Integer.parseInt(axis)] += 1;
    }
    return vector;
  }
}
