package io.nucleusmem.memspace;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.ExtendedActorSystem;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an owner on another node is told arrives as it was sent. */
class WireTest {
  @Test
  void commandsArriveAsTheyWereSent() throws Exception {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    try (TestNode node = TestNode.start(store)) {
      OwnerSerializer serializer =
          new OwnerSerializer((ExtendedActorSystem) node.system().classicSystem());
      Bytes token = Bytes.utf8("sixteen bytes ..");
      List<SpaceCommand> commands =
          List.of(
              new LettingGo.BeginLettingGo(token),
              new LettingGo.EndLettingGo(token),
              new MergeChanges.Begin("anna", "m-1-0", token, 1, 2, 3, 4));
      for (SpaceCommand command : commands) {
        MemSpace.Apply sent = new MemSpace.Apply(command, new Promise<>());
        byte[] bytes = serializer.toBinary(sent);
        MemSpace.Apply arrived =
            (MemSpace.Apply) serializer.fromBinary(bytes, serializer.manifest(sent));
        assertThat(arrived.command())
            .usingRecursiveComparison()
            .withStrictTypeChecking()
            .isEqualTo(command);
      }
      LedgerOwner.Compact compact = new LedgerOwner.Compact(7, 9, new Promise<>());
      LedgerOwner.Compact arrived =
          (LedgerOwner.Compact)
              serializer.fromBinary(serializer.toBinary(compact), serializer.manifest(compact));
      assertThat(arrived.floor()).isEqualTo(7);
      assertThat(arrived.notAfter()).isEqualTo(9);
    } finally {
      store.close();
    }
  }
}
