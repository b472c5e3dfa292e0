package io.nucleusmem.examples.account;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.pattern.StatusReply;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;

/**
 * An account, as anybody writes it with Akka Persistence: there is nothing of NucleusMem in here.
 * Where its events go is configuration, see {@code account.conf}.
 */
public final class Account
    extends EventSourcedBehavior<Account.Command, Account.Event, Account.State> {
  private static final int EVENTS_PER_SNAPSHOT = 100;
  private static final int SNAPSHOTS_KEPT = 2;

  // ---- commands ----
  /** What an account may be asked. */
  public sealed interface Command {}

  /** Pays in, or out where negative; refused where the balance would be below 0. */
  public record Pay(long amount, ActorRef<StatusReply<Long>> replyTo) implements Command {}

  /** The balance. */
  public record Balance(ActorRef<StatusReply<Long>> replyTo) implements Command {}

  // ---- what is stored ----
  /** Marks what is stored, for the choice of a serializer. */
  public interface Stored {}

  /** What has happened. */
  public sealed interface Event extends Stored {}

  /** An amount was paid in, or out. */
  public record Paid(long amount) implements Event {}

  /** What events add up to. */
  public record State(long balance) implements Stored {}

  /** An account of that name. */
  public static Behavior<Command> create(String name) {
    return new Account(PersistenceId.of("account", name));
  }

  private Account(PersistenceId id) {
    super(id);
  }

  @Override
  public State emptyState() {
    return new State(0);
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_SNAPSHOT, SNAPSHOTS_KEPT);
  }

  @Override
  public CommandHandler<Command, Event, State> commandHandler() {
    return newCommandHandlerBuilder()
        .forAnyState()
        .onCommand(Pay.class, this::onPay)
        .onCommand(Balance.class, this::onBalance)
        .build();
  }

  private Effect<Event, State> onPay(State state, Pay pay) {
    if (state.balance() + pay.amount() < 0) {
      return Effect()
          .reply(
              pay.replyTo(),
              StatusReply.error(
                  "[%d] cannot be paid out of [%d]".formatted(-pay.amount(), state.balance())));
    }
    return Effect()
        .persist(new Paid(pay.amount()))
        .thenReply(pay.replyTo(), next -> StatusReply.success(next.balance()));
  }

  private Effect<Event, State> onBalance(State state, Balance balance) {
    return Effect().reply(balance.replyTo(), StatusReply.success(state.balance()));
  }

  @Override
  public EventHandler<State, Event> eventHandler() {
    return newEventHandlerBuilder()
        .forAnyState()
        .onEvent(Paid.class, (state, paid) -> new State(state.balance() + paid.amount()))
        .build();
  }
}
