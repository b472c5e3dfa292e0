package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.http.TestNode.Answer;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Section 4 of the contract. */
class ClaimsTest {
  private static TestNode node;
  private String space;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node = TestNode.start(dir.resolve("data"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    space = "/v1/spaces/" + node.space();
  }

  private JsonNode claim(String worker, int max) {
    Answer answer =
        node.post(
            space + "/claims",
            "{\"prefix\": \"t/\", \"worker\": \"%s\", \"lease_ms\": 60000, \"max\": %d}"
                .formatted(worker, max));
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json().get("claims");
  }

  @Test
  void claimsGoToTheOldestFirstAndToOneWorker() {
    assertThat(claim("w", 1)).isEmpty();
    node.put(space + "/entries/t/b", "first");
    node.put(space + "/entries/t/a", "second");
    node.put(space + "/entries/other", "none of these");
    JsonNode first = claim("one", 1);
    assertThat(first).hasSize(1);
    assertThat(first.get(0).get("key").textValue()).isEqualTo("t/b");
    assertThat(first.get(0).get("revision").longValue()).isEqualTo(1);
    assertThat(first.get(0).get("value").textValue()).isEqualTo("first");
    assertThat(Instant.parse(first.get(0).get("expires_at").textValue())).isAfter(Instant.EPOCH);
    assertThat(first.get(0).get("token").isIntegralNumber()).isTrue();
    JsonNode second = claim("two", 10);
    assertThat(second).hasSize(1);
    assertThat(second.get(0).get("key").textValue()).isEqualTo("t/a");
    assertThat(claim("three", 1)).isEmpty();
  }

  @Test
  void aClaimedEntryIsWrittenWithItsTokenOnly() {
    node.put(space + "/entries/t/1", "task");
    String token = claim("w", 1).get(0).get("token").asText();
    Answer without = node.put(space + "/entries/t/1", "x");
    assertThat(without.status()).isEqualTo(409);
    assertThat(without.code()).isEqualTo("claimed");
    assertThat(node.delete(space + "/entries/t/1").code()).isEqualTo("claimed");
    assertThat(node.put(space + "/entries/t/1", "x", "Nucleus-Claim", "999999").code())
        .isEqualTo("claim_lost");
    assertThat(node.put(space + "/entries/t/1", "half", "Nucleus-Claim", token).status())
        .isEqualTo(200);
    assertThat(claim("other", 1)).isEmpty(); // still held
    assertThat(
            node.put(
                    space + "/entries/t/1",
                    "done",
                    "Nucleus-Claim",
                    token,
                    "Nucleus-Claim-Done",
                    "true")
                .status())
        .isEqualTo(200);
    assertThat(claim("other", 1)).hasSize(1);
    assertThat(node.put(space + "/entries/t/1", "late", "Nucleus-Claim", token).code())
        .isEqualTo("claim_lost");
    assertThat(node.put(space + "/entries/u", "x", "Nucleus-Claim-Done", "true").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void deletingTheEntryEndsItsClaim() {
    node.put(space + "/entries/t/1", "task");
    String token = claim("w", 1).get(0).get("token").asText();
    assertThat(node.delete(space + "/entries/t/1", "Nucleus-Claim", token).status()).isEqualTo(200);
    assertThat(node.put(space + "/entries/t/1", "again").status()).isEqualTo(200);
    assertThat(claim("other", 1)).hasSize(1);
  }

  @Test
  void aBatchCarriesItsClaims() {
    node.put(space + "/entries/t/1", "task");
    String token = claim("w", 1).get(0).get("token").asText();
    String batch =
        """
        {"ops": [{"op": "delete", "key": "t/1"%s}, {"op": "put", "key": "result/1", "value": "r"}]}""";
    Answer refused = node.post(space + "/batch", batch.formatted(""));
    assertThat(refused.code()).isEqualTo("claimed");
    assertThat(node.get(space + "/entries/result/1").status()).isEqualTo(404);
    assertThat(node.post(space + "/batch", batch.formatted(", \"claim\": " + token)).status())
        .isEqualTo(200);
    assertThat(node.get(space + "/entries/result/1").text()).isEqualTo("r");
  }

  @Test
  void renewAndReleaseNeedTheClaim() {
    node.put(space + "/entries/t/1", "task");
    JsonNode claim = claim("w", 1).get(0);
    String token = claim.get("token").asText();
    Answer renewed =
        node.post(
            space + "/claims/renew",
            "{\"key\": \"t/1\", \"token\": %s, \"lease_ms\": 600000}".formatted(token));
    assertThat(renewed.status()).isEqualTo(200);
    assertThat(Instant.parse(renewed.json().get("expires_at").textValue()))
        .isAfter(Instant.parse(claim.get("expires_at").textValue()));
    String release = "{\"key\": \"t/1\", \"token\": %s}".formatted(token);
    assertThat(node.post(space + "/claims/release", release).status()).isEqualTo(204);
    assertThat(node.post(space + "/claims/release", release).code()).isEqualTo("claim_lost");
    Answer lost =
        node.post(
            space + "/claims/renew",
            "{\"key\": \"t/1\", \"token\": %s, \"lease_ms\": 1}".formatted(token));
    assertThat(lost.status()).isEqualTo(409);
    assertThat(lost.code()).isEqualTo("claim_lost");
    assertThat(claim("other", 1)).hasSize(1);
  }

  @Test
  void claimsRefuseWhatIsOutOfBounds() {
    for (String bad :
        new String[] {
          "{\"prefix\": \"t/\", \"worker\": \"w\"}",
          "{\"prefix\": \"t/\", \"worker\": \"w\", \"lease_ms\": 0}",
          "{\"prefix\": \"t/\", \"worker\": \"w\", \"lease_ms\": 3600001}",
          "{\"prefix\": \"t/\", \"worker\": \"w\", \"lease_ms\": 1, \"max\": 101}",
          "{\"prefix\": \"t/\", \"worker\": \"w\", \"lease_ms\": \"1\"}",
          "{\"prefix\": \"t/\", \"lease_ms\": 1}"
        }) {
      assertThat(node.post(space + "/claims", bad).code()).as(bad).isEqualTo("invalid_request");
    }
  }
}
