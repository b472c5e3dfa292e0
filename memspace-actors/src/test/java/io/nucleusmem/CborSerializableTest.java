package io.nucleusmem;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.serialization.SerializationExtension;
import akka.serialization.jackson.JacksonCborSerializer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class CborSerializableTest {
  static final ActorTestKit testKit = ActorTestKit.create();

  /** A message with the types that trap. */
  record Message(
      Map<String, Object> attributes,
      Instant at,
      Duration delay,
      Optional<String> note,
      long number)
      implements CborSerializable {}

  record Single(String only) implements CborSerializable {}

  @AfterAll
  static void stop() {
    testKit.shutdownTestKit();
  }

  @Test
  void aMarkedMessageIsWrittenAsCbor() {
    assertThat(SerializationExtension.get(testKit.system()).findSerializerFor(new Single("a")))
        .isInstanceOf(JacksonCborSerializer.class);
  }

  @Test
  void aMarkedMessageComesBackWithJavasCollectionsInside() {
    var message =
        new Message(
            Map.of("list", List.of(1, "two"), "map", Map.of("three", true)),
            Instant.parse("2026-11-23T10:15:30.123456789Z"),
            Duration.ofMillis(1_500),
            Optional.of("note"),
            Long.MAX_VALUE);
    var found = testKit.serializationTestKit().verifySerialization(message, true);
    assertThat(found).isEqualTo(message);
    assertThat(found.attributes().get("list")).isInstanceOf(List.class);
    assertThat(found.attributes().get("map")).isInstanceOf(Map.class);
    assertThat(testKit.serializationTestKit().verifySerialization(new Single("a"), true))
        .isEqualTo(new Single("a"));
  }
}
