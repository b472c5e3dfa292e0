package io.nucleusmem.agent;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializers;
import io.nucleusmem.agent.AgentProtocol.Acquiring;
import io.nucleusmem.agent.AgentProtocol.CursorsMoved;
import io.nucleusmem.agent.AgentProtocol.Event;
import io.nucleusmem.agent.AgentProtocol.Held;
import io.nucleusmem.agent.AgentProtocol.MountsHeld;
import io.nucleusmem.agent.AgentProtocol.Released;
import io.nucleusmem.agent.AgentProtocol.Spawned;
import io.nucleusmem.agent.AgentProtocol.State;
import io.nucleusmem.agent.AgentProtocol.Stopped;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Region;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Agents outlive releases: what an earlier one has stored must be read by this one. */
class AgentEventsTest {
  static final ActorTestKit testKit = ActorTestKit.create();
  static final Serialization serialization = SerializationExtension.get(testKit.system());

  static final AgentMount MOUNT =
      new AgentMount(
          "guests", Access.READ_WRITE, Set.of(Region.TASK), List.of("p/"), Set.of("t"), null);
  static final Held HELD = new Held(MOUNT, "m-1");
  static final AgentSpec SPEC =
      new AgentSpec("greeter", "g-1", List.of(MOUNT), Map.of("tone", "warm"));

  /** As they stand in journals. Where a form changes, its old bytes stay here, to be read only. */
  static Stream<Arguments> stored() {
    return Stream.of(
        Arguments.of(
            "Spawned",
            "bf6473706563bf6474797065676772656574657262696463672d31666d6f756e747381"
                + "bf65737061636566677565737473666163636573736a524541445f5752495445677265"
                + "67696f6e7381645441534b6870726566697865738162702f66746f70696373816174ff"
                + "66636f6e666967bf64746f6e65647761726dffff697072696e636970616c64616e6e61"
                + "6561646d696ef5ff",
            new Spawned(SPEC, "anna", true)),
        Arguments.of(
            "Acquiring",
            "bf666d6f756e747381bf65737061636566677565737473666163636573736a52454144"
                + "5f575249544567726567696f6e7381645441534b6870726566697865738162702f6674"
                + "6f70696373816174ffff",
            new Acquiring(List.of(MOUNT))),
        Arguments.of(
            "MountsHeld",
            "bf6468656c6481bf656d6f756e74bf6573706163656667756573747366616363657373"
                + "6a524541445f575249544567726567696f6e7381645441534b68707265666978657381"
                + "62702f66746f70696373816174ff676d6f756e744964636d2d31ff6972656c65617369"
                + "6e6781bf656d6f756e74bf65737061636566677565737473666163636573736a524541"
                + "445f575249544567726567696f6e7381645441534b6870726566697865738162702f66"
                + "746f70696373816174ff676d6f756e744964636d2d30ffff",
            new MountsHeld(List.of(HELD), List.of(new Held(MOUNT, "m-0")))),
        Arguments.of("Released", "bfff", new Released()),
        Arguments.of(
            "CursorsMoved",
            "bf67637572736f7273bf65696e626f781b000000012a05f200ffff",
            new CursorsMoved(Map.of("inbox", 5_000_000_000L))),
        Arguments.of("Stopped", "bfff", new Stopped()),
        Arguments.of(
            "State",
            "bf6473706563bf6474797065676772656574657262696463672d31666d6f756e747381"
                + "bf65737061636566677565737473666163636573736a524541445f5752495445677265"
                + "67696f6e7381645441534b6870726566697865738162702f66746f70696373816174ff"
                + "66636f6e666967bf64746f6e65647761726dffff697072696e636970616c64616e6e61"
                + "6561646d696ef569616371756972696e6781bf65737061636566677565737473666163"
                + "636573736a524541445f575249544567726567696f6e7381645441534b687072656669"
                + "7865738162702f66746f70696373816174ff6468656c6481bf656d6f756e74bf657370"
                + "61636566677565737473666163636573736a524541445f575249544567726567696f6e"
                + "7381645441534b6870726566697865738162702f66746f70696373816174ff676d6f75"
                + "6e744964636d2d31ff6972656c656173696e678067637572736f7273bf65696e626f78"
                + "07ff6773746f70706564f4ff",
            new State(
                SPEC,
                "anna",
                true,
                List.of(MOUNT),
                List.of(HELD),
                List.of(),
                Map.of("inbox", 7L),
                false)));
  }

  @AfterAll
  static void stop() {
    testKit.shutdownTestKit();
  }

  @ParameterizedTest
  @MethodSource("stored")
  void whatIsStoredIsReadAndWrittenTheSame(String name, String hex, Object value) {
    var serializer = serialization.findSerializerFor(value);
    String manifest = Serializers.manifestFor(serializer, value);
    assertThat(manifest).isEqualTo("io.nucleusmem.agent.AgentProtocol$" + name);
    byte[] frozen = HexFormat.of().parseHex(hex);
    assertThat(serialization.deserialize(frozen, serializer.identifier(), manifest).get())
        .isEqualTo(value);
    assertThat(HexFormat.of().formatHex(serialization.serialize(value).get())).isEqualTo(hex);
  }

  @Test
  void everyEventHasASample() {
    assertThat(stored().<Object>map(sample -> sample.get()[2].getClass()))
        .contains((Object[]) Event.class.getPermittedSubclasses());
  }
}
