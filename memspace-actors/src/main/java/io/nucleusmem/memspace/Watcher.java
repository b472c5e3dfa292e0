package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * One watch: what it wants, how far it is. Owned by its channel's thread; cursor and state may be
 * read by any.
 */
final class Watcher implements Watch {
  private final Predicate<Change.OfEntry> filter;
  private final boolean values;
  private final WatchHandler handler;
  private final Supplier<CompletionStage<Boolean>> mayRead;
  private final Supplier<Grant> grant;
  private volatile long cursor;
  private volatile State state = State.CATCHING_UP;
  private volatile boolean closed;
  private Runnable onClose = () -> {};
  private boolean busy; // the handler, the log or the mount's renewal is awaited

  /**
   * @param filter what the watch and its mount cover
   * @param mayRead renews the mount
   */
  Watcher(
      Predicate<Change.OfEntry> filter,
      boolean values,
      WatchHandler handler,
      Supplier<Grant> grant,
      Supplier<CompletionStage<Boolean>> mayRead) {
    this.filter = filter;
    this.values = values;
    this.handler = handler;
    this.grant = grant;
    this.mayRead = mayRead;
  }

  @Override
  public long cursor() {
    return cursor;
  }

  @Override
  public State state() {
    return closed ? State.ENDED : state;
  }

  @Override
  public void close() {
    closed = true;
    onClose.run();
  }

  void onClose(Runnable action) {
    onClose = action;
  }

  boolean wants(Change.OfEntry change) {
    return filter.test(change);
  }

  boolean values() {
    return values;
  }

  WatchHandler handler() {
    return handler;
  }

  Grant grant() {
    return grant.get();
  }

  CompletionStage<Boolean> renewMount() {
    return mayRead.get();
  }

  void moveTo(long revision) {
    cursor = Math.max(cursor, revision);
  }

  void startAt(long revision) {
    cursor = revision;
  }

  void state(State now) {
    state = now;
  }

  boolean isClosed() {
    return closed;
  }

  boolean isBusy() {
    return busy;
  }

  void busy(boolean now) {
    busy = now;
  }
}
