package io.nucleusmem.cli.evaluate;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import java.util.List;
import java.util.Random;

/** An embedding model for tests: texts with common words lie near one another. */
public final class HashedWords implements EmbeddingModel {
  @Override
  public Response<List<Embedding>> embedAll(List<TextSegment> texts) {
    return Response.from(texts.stream().map(text -> vector(text.text())).toList());
  }

  private static Embedding vector(String text) {
    float[] vector = new float[48];
    for (String word : text.split("\\W+")) {
      Random random = new Random(word.hashCode());
      for (int i = 0; i < vector.length; i++) {
        vector[i] += (float) random.nextGaussian();
      }
    }
    return Embedding.from(vector);
  }
}
