package io.nucleusmem.routing.embedding;

import static io.nucleusmem.routing.embedding.ScriptedEmbeddings.route;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model that ships, as configured by default: no network, no home directory. */
class PackagedModelTest {
  @TempDir static Path cacheDir;

  @Test
  void routesByMeaning() {
    TextEmbeddings embeddings = TextEmbeddings.fromConfig(TextEmbeddingsTest.config("", cacheDir));
    EmbeddingMatcher matcher =
        EmbeddingMatcher.train(
            embeddings,
            List.of(
                route(
                    "refunds",
                    "Customers who want their money back",
                    "I want my money back",
                    "please refund my order",
                    "how do I return this and get a refund"),
                route(
                    "shipping",
                    "Where a parcel is and when it comes",
                    "where is my parcel",
                    "when will my order be delivered",
                    "track my package"),
                route(
                    "accounts",
                    "Passwords, logins and profiles",
                    "I cannot log in",
                    "reset my password",
                    "change my email address")));

    assertThat(best(matcher, "you charged me for something I sent back")).isEqualTo("refunds");
    assertThat(best(matcher, "has the courier left yet?")).isEqualTo("shipping");
    assertThat(best(matcher, "I forgot the secret word for signing in")).isEqualTo("accounts");
    assertThat(matcher.rank("how tall is the Eiffel tower", 3).verdict())
        .isNotEqualTo(Verdict.CLEAR);
    // another language, a hundred kilobytes, no word at all: an answer, no failure
    for (String text : List.of("我的包裹在哪里", "words ".repeat(17_000), "?!")) {
      Ranking ranking = matcher.rank(text, 3);
      assertThat(ranking.candidates()).hasSize(3);
      assertThat(ranking).isEqualTo(matcher.rank(text, 3));
    }
  }

  private static String best(EmbeddingMatcher matcher, String text) {
    return matcher.rank(text, 3).candidates().get(0).route();
  }
}
