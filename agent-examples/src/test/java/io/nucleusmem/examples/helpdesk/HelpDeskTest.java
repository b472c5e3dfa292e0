package io.nucleusmem.examples.helpdesk;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.routing.RoutingDecision;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole example with the real embedding model, which lies on the class path. */
@Timeout(180)
class HelpDeskTest {
  @Test
  void aSpecialistThatJoinsTakesItsShare(@TempDir Path dir) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<RoutingDecision> decisions;
    try (HelpDesk desk =
        new HelpDesk(
            ConfigFactory.parseMap(
                Map.of(
                    "nucleusmem.http.port",
                    0,
                    "nucleusmem.store.rocksdb.dir",
                    dir.resolve("data").toString())))) {
      decisions = desk.run(new PrintStream(out, true, StandardCharsets.UTF_8));
    }
    int tickets = HelpDesk.TICKETS.size();
    assertThat(decisions).hasSize(2 * tickets);
    assertThat(decisions.subList(0, tickets)).noneMatch(each -> "accounts".equals(each.route()));
    List<RoutingDecision> after = decisions.subList(tickets, 2 * tickets);
    assertThat(after.get(0).route()).isEqualTo("refunds");
    assertThat(after.get(1).route()).isEqualTo("shipping");
    assertThat(after.get(2).route()).isEqualTo("accounts");
    assertThat(after.get(5).route()).isEqualTo("accounts");
    assertThat(decisions).allMatch(each -> each.delivered().isPresent());
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("accounts", "parcel");
  }
}
