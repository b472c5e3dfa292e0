package io.nucleusmem.ledger;

import java.util.List;

/**
 * What somebody wants of a ledger. Decided by the owner, in the order of arrival, against what will
 * be true then.
 */
public interface Command {
  /** Who sends: commands of one sender keep their order, those of others may overtake them. */
  String sender();

  /** The request's id; null for none. */
  RequestStamp request();

  /**
   * False only if this is the first time that the request is sent, under an id of the sender's own
   * making: then it can't have been applied by an owner that ended before the id was made.
   */
  default boolean maybeRetried() {
    return true;
  }

  /** Roughly what the command adds to a commit, in bytes. */
  int bytes();

  /** The entries whose newest version is needed to decide. Read when the command arrives. */
  List<EntryRef> reads();

  /**
   * Decides. Must not keep anything: it may be called on an owner whose commit then fails.
   *
   * @param view what is true where this command comes to stand
   * @param revision that the command gets if it changes something
   * @param timestamp of the commit
   * @return what changes; {@link #NOTHING} to change nothing and take no revision
   * @throws RuntimeException the refusal, handed to the sender as it is; the command fails alone
   */
  List<Change> decide(PendingView view, long revision, long timestamp);

  /** No change and no revision. */
  List<Change> NOTHING = List.of();
}
