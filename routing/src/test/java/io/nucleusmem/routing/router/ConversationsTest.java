package io.nucleusmem.routing.router;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.TestNode;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.router.Conversations.Place;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where conversations are, as long as they last. */
class ConversationsTest {
  private static final Instant BEGIN = Instant.parse("2026-11-28T00:00:00Z");
  private static final Duration TTL = Duration.ofHours(1);

  private final AtomicReference<Instant> now = new AtomicReference<>(BEGIN);
  private TestNode node;
  private OwnSpace space;
  private Conversations conversations;

  @BeforeEach
  void start() {
    node = TestNode.start(new MemoryStore(StoreScope.ALL));
    space = new OwnSpace(node.spaces(), "conversations");
    conversations = new Conversations(space, TTL, now::get);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** Notes where conversations are, in one batch. */
  private void place(String prefix, int count) {
    List<Operation> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(conversations.place(prefix + i, "route", "agent", null));
    }
    await(space.call(mounted -> mounted.write(all, WriteOptions.DEFAULT)));
  }

  private Optional<Place> find(String conversation) {
    return await(conversations.find(Optional.of(conversation)));
  }

  private long kept() {
    long revision = await(space.open()).seen();
    return await(space.count("conversation/", revision));
  }

  @Test
  void conversationThatIsOverIsNoneAndIsSweptAway() {
    place("old-", 250); // more than a sweep looks at in one page
    now.set(BEGIN.plus(TTL));
    place("young-", 3);
    assertThat(find("old-0")).as("its last hour is not over").isPresent();
    assertThat(await(conversations.sweep())).isZero();

    now.set(BEGIN.plus(TTL).plusMillis(1));
    assertThat(find("old-0")).isEmpty();
    assertThat(kept()).as("it is there until it is swept").isEqualTo(253);
    assertThat(await(conversations.sweep())).isEqualTo(250);
    assertThat(kept()).isEqualTo(3);
    assertThat(find("young-0").orElseThrow().agent()).isEqualTo("agent");
    assertThat(await(conversations.sweep())).isZero();
  }

  @Test
  void conversationThatGoesOnIsNotSweptAway() {
    place("talk-", 1);
    now.set(BEGIN.plus(TTL));
    place("talk-", 1);
    now.set(BEGIN.plus(TTL).plusMillis(1));
    assertThat(await(conversations.sweep())).isZero();
    assertThat(find("talk-0")).isPresent();
  }
}
