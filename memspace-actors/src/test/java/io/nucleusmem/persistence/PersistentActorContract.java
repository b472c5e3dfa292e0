package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.pattern.StatusReply;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.persistence.typed.state.javadsl.DurableStateBehavior;
import io.nucleusmem.CborSerializable;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.persistence.FaultyStore.Fault;
import io.nucleusmem.store.KvStore;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;

/** Promise G1 and G3 as a typed persistent actor sees them: restart, two incarnations, faults. */
abstract class PersistentActorContract {
  /** Opens the store, the same rows each time. */
  protected abstract KvStore open(Executor callbacks);

  private final String id = "sum|" + UUID.randomUUID();

  /** Adds up numbers; remembers each. */
  static final class Sum extends EventSourcedBehavior<Sum.Add, Sum.Added, Sum.Total> {
    record Add(long number, ActorRef<StatusReply<Long>> replyTo) implements CborSerializable {}

    record Added(long number) implements CborSerializable {}

    record Total(long sum) implements CborSerializable {}

    private final boolean snapshots;

    static Behavior<Add> create(String id, boolean snapshots) {
      return new Sum(id, snapshots);
    }

    private Sum(String id, boolean snapshots) {
      super(PersistenceId.ofUniqueId(id));
      this.snapshots = snapshots;
    }

    @Override
    public Total emptyState() {
      return new Total(0);
    }

    @Override
    public CommandHandler<Add, Added, Total> commandHandler() {
      return (state, add) ->
          add.number() == 0
              ? Effect().reply(add.replyTo(), StatusReply.success(state.sum()))
              : Effect()
                  .persist(new Added(add.number()))
                  .thenReply(add.replyTo(), next -> StatusReply.success(next.sum()));
    }

    @Override
    public EventHandler<Total, Added> eventHandler() {
      return (state, added) -> new Total(state.sum() + added.number());
    }

    @Override
    public Set<String> tagsFor(Added event) {
      return Set.of(event.number() % 2 == 0 ? "even" : "odd");
    }

    @Override
    public RetentionCriteria retentionCriteria() {
      return snapshots
          ? RetentionCriteria.snapshotEvery(10, 1).withDeleteEventsOnSnapshot()
          : RetentionCriteria.disabled();
    }
  }

  /** Replaces a number by the next; a negative one deletes it. */
  static final class Cell extends DurableStateBehavior<Cell.Swap, Cell.Content> {
    record Swap(long number, ActorRef<StatusReply<Long>> replyTo) implements CborSerializable {}

    record Content(long number) implements CborSerializable {}

    static Behavior<Swap> create(String id) {
      return new Cell(id);
    }

    private Cell(String id) {
      super(PersistenceId.ofUniqueId(id));
    }

    @Override
    public Content emptyState() {
      return new Content(0);
    }

    @Override
    public akka.persistence.typed.state.javadsl.CommandHandler<Swap, Content> commandHandler() {
      return (state, swap) -> {
        var effect =
            swap.number() < 0 ? Effect().delete() : Effect().persist(new Content(swap.number()));
        return effect.thenReply(swap.replyTo(), next -> StatusReply.success(state.number()));
      };
    }
  }

  @Test
  void aDurableStateIsThereAfterARestartAndADeletedOneIsNot() {
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var cell = node.kit().spawn(Cell.create(id));
      assertThat(swap(node, cell, 1)).isEqualTo(0);
      assertThat(swap(node, cell, 2)).isEqualTo(1);
    }
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var cell = node.kit().spawn(Cell.create(id));
      assertThat(swap(node, cell, -1)).isEqualTo(2);
    }
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var cell = node.kit().spawn(Cell.create(id));
      assertThat(swap(node, cell, 3)).isEqualTo(0);
      assertThat(swap(node, node.kit().spawn(Cell.create(id)), 4)).isEqualTo(3);
    }
  }

  @Test
  void anAcknowledgedEventIsThereAfterARestartOfTheSystem() {
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var sum = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, sum, 1)).isEqualTo(1);
      assertThat(add(node, sum, 2)).isEqualTo(3);
    }
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var sum = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, sum, 0)).isEqualTo(3);
      assertThat(add(node, sum, 3)).isEqualTo(6);
    }
  }

  @Test
  void anActorThatSnapshotsAndDeletesItsEventsRecovers() {
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var sum = node.kit().spawn(Sum.create(id, true));
      for (int i = 1; i <= 45; i++) {
        add(node, sum, 1);
      }
    }
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      assertThat(add(node, node.kit().spawn(Sum.create(id, true)), 0)).isEqualTo(45);
    }
  }

  @Test
  void ofTwoIncarnationsOnlyOneGoesOn() {
    try (var node = TestNode.start(StoreSetup.opened(this::open))) {
      var old = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, old, 1)).isEqualTo(1);
      var young = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, young, 10)).isEqualTo(11);

      old.tell(new Sum.Add(100, node.kit().<StatusReply<Long>>createTestProbe().getRef()));
      node.kit().createTestProbe().expectTerminated(old);
      assertThat(add(node, young, 20)).isEqualTo(31);
      assertThat(add(node, node.kit().spawn(Sum.create(id, false)), 0)).isEqualTo(31);
    }
  }

  @Test
  void anUnknownCommitStopsTheActorAndTheNextOneKnows() {
    var faulty = new FaultyStore[1];
    try (var node =
        TestNode.start(
            StoreSetup.opened(executor -> faulty[0] = new FaultyStore(open(executor))))) {
      var sum = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, sum, 1)).isEqualTo(1);

      faulty[0].next(Fault.LOST_ANSWER);
      TestProbe<StatusReply<Long>> probe = node.kit().createTestProbe();
      sum.tell(new Sum.Add(2, probe.getRef()));
      probe.expectTerminated(sum); // before any reply: the probe got none
      var next = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, next, 0)).isEqualTo(3);

      faulty[0].next(Fault.LATE_REQUEST);
      next.tell(new Sum.Add(4, probe.getRef()));
      probe.expectTerminated(next);
      var last = node.kit().spawn(Sum.create(id, false));
      assertThat(add(node, last, 8)).isEqualTo(11);
      assertThat(faulty[0].landLate().handle((v, failure) -> failure).toCompletableFuture().join())
          .isNotNull();
      assertThat(add(node, node.kit().spawn(Sum.create(id, false)), 0)).isEqualTo(11);
    }
  }

  private static long swap(TestNode node, ActorRef<Cell.Swap> cell, long number) {
    TestProbe<StatusReply<Long>> probe = node.kit().createTestProbe();
    cell.tell(new Cell.Swap(number, probe.getRef()));
    return probe.receiveMessage().getValue();
  }

  private static long add(TestNode node, ActorRef<Sum.Add> sum, long number) {
    TestProbe<StatusReply<Long>> probe = node.kit().createTestProbe();
    sum.tell(new Sum.Add(number, probe.getRef()));
    return probe.receiveMessage().getValue();
  }
}
