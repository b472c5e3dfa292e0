package io.nucleusmem.examples.greeter;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import org.junit.jupiter.api.Test;

class GreeterTest {
  @Test
  void greetsAndKeepsTheGuestsThroughACrash() {
    try (var kit = AgentTestKit.start(Greeter.TYPE, AgentMount.of("guests", Access.READ_WRITE))) {
      kit.send("Anna");
      assertThat(kit.received().content().text()).isEqualTo("hello, Anna");
      kit.crash();
      kit.send("Ben");
      assertThat(kit.received().content().text()).isEqualTo("hello, Ben");
      assertThat(kit.entries("guests", EntryKey.of("greeted/"), 2))
          .extracting(Entry::text)
          .containsExactly("Anna", "Ben");
    }
  }
}
