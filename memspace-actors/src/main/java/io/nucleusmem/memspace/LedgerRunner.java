package io.nucleusmem.memspace;

import akka.actor.typed.javadsl.ActorContext;
import io.nucleusmem.ledger.LedgerException;
import io.nucleusmem.ledger.LedgerHost;
import io.nucleusmem.ledger.LogRow;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Runs a ledger inside of an actor: its steps are messages, so they come one at a time. */
final class LedgerRunner implements LedgerHost {
  private final ActorContext<LedgerOwner.Message> context;
  private final Executor answers;
  private final Consumer<LogRow> committed;
  private final Consumer<LedgerException> ended;

  /**
   * @param answers where answers are handed over: never the actor's thread
   */
  LedgerRunner(
      ActorContext<LedgerOwner.Message> context,
      Executor answers,
      Consumer<LogRow> committed,
      Consumer<LedgerException> ended) {
    this.context = context;
    this.answers = answers;
    this.committed = committed;
    this.ended = ended;
  }

  @Override
  public void execute(Runnable run) {
    context.getSelf().tell(new LedgerOwner.Step(run));
  }

  @Override
  public void schedule(Duration delay, Runnable run) {
    context.scheduleOnce(delay, context.getSelf(), new LedgerOwner.Step(run));
  }

  @Override
  public void answer(Runnable run) {
    answers.execute(run);
  }

  @Override
  public void committed(LogRow row) {
    committed.accept(row);
  }

  @Override
  public void ended(LedgerException why) {
    ended.accept(why);
  }
}
