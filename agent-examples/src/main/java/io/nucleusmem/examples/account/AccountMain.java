package io.nucleusmem.examples.account;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.AskPattern;
import akka.pattern.StatusReply.ErrorMessage;
import akka.persistence.query.EventEnvelope;
import akka.persistence.query.PersistenceQuery;
import akka.persistence.typed.PersistenceId;
import akka.stream.javadsl.Sink;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.persistence.EventReadJournal;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Pays the amounts that it is given and shows what the journal has. Started again it goes on from
 * there: {@code scripts/account 100 -30}.
 */
public final class AccountMain {
  private static final String NAME = "anna";
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private AccountMain() {}

  /**
   * Runs it with {@code account.conf}.
   *
   * @param amounts whole numbers
   */
  public static void main(String[] amounts) {
    run(ConfigFactory.load("account"), amounts);
  }

  /** Pays and returns the events that the journal has afterwards, oldest first. */
  static List<Object> run(Config config, String... amounts) {
    ActorSystem<Account.Command> account = ActorSystem.create(Account.create(NAME), "bank", config);
    try {
      for (String amount : amounts) {
        pay(account, Long.parseLong(amount));
      }
      System.out.println("balance " + await(ask(account)));
      List<Object> events = await(events(account));
      System.out.println("events  " + events);
      return events;
    } finally {
      account.terminate();
      await(account.getWhenTerminated());
    }
  }

  private static void pay(ActorSystem<Account.Command> account, long amount) {
    try {
      await(
          AskPattern.<Account.Command, Long>askWithStatus(
              account, replyTo -> new Account.Pay(amount, replyTo), TIMEOUT, account.scheduler()));
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof ErrorMessage refused)) {
        throw e;
      }
      System.out.println("refused " + refused.getMessage());
    }
  }

  private static CompletionStage<Long> ask(ActorSystem<Account.Command> account) {
    return AskPattern.<Account.Command, Long>askWithStatus(
        account, Account.Balance::new, TIMEOUT, account.scheduler());
  }

  /** The queries of Akka Persistence work as well: by persistence id, now or live, and all ids. */
  private static CompletionStage<List<Object>> events(ActorSystem<?> system) {
    return PersistenceQuery.get(system)
        .getReadJournalFor(EventReadJournal.class, EventReadJournal.IDENTIFIER)
        .currentEventsByPersistenceId(PersistenceId.of("account", NAME).id(), 0, Long.MAX_VALUE)
        .map(EventEnvelope::event)
        .runWith(Sink.seq(), system);
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
