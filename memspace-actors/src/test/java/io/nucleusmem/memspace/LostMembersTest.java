package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.Address;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Down;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was sent to a member that was dead already is sent again when the member is removed. */
@Timeout(300)
class LostMembersTest {
  private static final Principal ANNA = Principal.of("anna");
  // one that is not sent again waits until there is no time left for a second try
  private static final String NO_SECOND_TRY =
      """
      nucleusmem.memspace.call-timeout = 50s
      nucleusmem.memspace.attempt-timeout = 49999ms
      """;
  private static final int SPACES_MAX = 100; // one of them lives on the other node

  private final KvStore store = new MemoryStore(StoreScope.REGION);
  private final TestNode first = TestNode.start(store, NO_SECOND_TRY);
  private final TestNode second = TestNode.join(first, store, NO_SECOND_TRY);

  @AfterEach
  void stop() {
    first.close();
    second.close();
    store.close();
  }

  @Test
  void aWriteDoesNotWaitUntilItsTimeIsUp() {
    aWriteToWhatHasDiedIsDone(first, second);
  }

  /** With the oldest, sharding's coordinators move. */
  @Test
  void aWriteToWhatTheOldestHadIsDone() {
    aWriteToWhatHasDiedIsDone(second, first);
  }

  private static void aWriteToWhatHasDiedIsDone(TestNode living, TestNode dying) {
    dying.spaces();
    living.spaces();
    living.awaitRegions(2);
    Address dead = Cluster.get(dying.system()).selfMember().address();
    List<MountedSpace> lost = new ArrayList<>();
    for (int i = 0; lost.isEmpty() && i < SPACES_MAX; i++) {
      String name = "s" + i;
      MountInfo mount =
          await(living.spaces().create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT))
              .mount();
      if (await(living.spaces().home(ANNA, name)).equals(dead.toString())) {
        lost.add(await(living.spaces().open(ANNA, mount.id())));
      }
    }
    assertThat(lost).hasSize(1);

    dying.die();
    await(dying.system().getWhenTerminated());
    var write = lost.get(0).put(EntryKey.of("k"), Content.text("v"));
    Cluster.get(living.system()).manager().tell(new Down(dead));

    assertThat(await(write).revision()).isEqualTo(1);
    assertThat(await(lost.get(0).get(EntryKey.of("k"))).orElseThrow().text()).isEqualTo("v");
  }

  /** A coordinator is told to begin when it may have begun long since. */
  @Test
  void coordinatorsThatHaveBegunBearTheWord() {
    second.spaces();
    first.awaitRegions(2);
    for (int i = 0; i < 20; i++) {
      Coordinators.begin(first.system().classicSystem());
      Coordinators.begin(second.system().classicSystem());
      String name = "b" + i;
      MountInfo mount =
          await(second.spaces().create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT))
              .mount();
      MountedSpace space = await(first.spaces().open(ANNA, mount.id()));
      assertThat(await(space.put(EntryKey.of("k"), Content.text("v"))).revision()).isEqualTo(1);
    }
  }
}
