package io.nucleusmem.ledger;

import java.util.List;

/**
 * The command behind a mark: a revision without entries, which closes time and shuts out every
 * predecessor.
 */
final class Mark implements Command {
  static final Command INSTANCE = new Mark();

  private Mark() {}

  @Override
  public String sender() {
    return "";
  }

  @Override
  public RequestStamp request() {
    return null;
  }

  @Override
  public int bytes() {
    return 0;
  }

  @Override
  public List<EntryRef> reads() {
    return List.of();
  }

  @Override
  public List<Change> decide(PendingView view, long revision, long timestamp) {
    return NOTHING;
  }
}
