package io.nucleusmem.persistence;

import akka.actor.ExtendedActorSystem;
import akka.persistence.query.ReadJournalProvider;
import com.typesafe.config.Config;

/** Akka's read journal plugin {@code nucleusmem.query}: makes the journal's two faces. */
public final class ReadJournals implements ReadJournalProvider {
  private final EventReadJournal journal;

  /** Made by Akka. */
  public ReadJournals(ExtendedActorSystem system, Config config) {
    journal = new EventReadJournal(system, QuerySettings.from(config));
  }

  @Override
  public akka.persistence.query.javadsl.ReadJournal javadslReadJournal() {
    return journal;
  }

  @Override
  public akka.persistence.query.scaladsl.ReadJournal scaladslReadJournal() {
    return new ScalaEventReadJournal(journal);
  }
}
