package io.nucleusmem.ledger;

import java.util.List;

/**
 * One revision: a command that was applied.
 *
 * @param author who wrote
 * @param request null if the command carried no id
 * @param changes none for a mark, which only closes time
 */
public record LogRecord(String author, RequestStamp request, List<Change> changes) {
  public LogRecord {
    changes = List.copyOf(changes);
  }
}
