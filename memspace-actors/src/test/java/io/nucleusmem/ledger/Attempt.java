package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * One sending of a client's request: what it asks, what it knew when it was sent, what it heard.
 * Each change that it makes carries its tag, so that the log tells which sending was applied.
 */
final class Attempt implements Command {
  /** What a request does. */
  enum Kind {
    PUT,
    /** Only if the key's newest version is {@link #expected}. */
    PUT_IF,
    /** Adds one to a number. */
    ADD,
    /** Refused if the key is not there. */
    DELETE,
    /** Under a key made from the revision. */
    APPEND,
    /** Adds one to a number in the ledger's state. */
    STATE,
    /** Two keys at once. */
    BOTH,
    /** Changes nothing. */
    READ
  }

  static final StateKey COUNTER = new StateKey((byte) 7, Bytes.utf8("counter"));

  final int request; // the same for all sendings of one request
  final String tag;
  final String client;
  final Kind kind;
  final EntryRef key;
  final EntryRef other;
  final long expected;
  final RequestStamp stamp;
  final boolean retried;

  // what was known when it was sent
  long knownRevision; // the newest one anybody had heard of
  long knownTime; // the newest time of anything acknowledged, in any ledger
  long arrival; // place in the order in which its owner's ledger took it

  // what came of it
  Optional<Version> seen; // null if it did not look
  int answers;
  boolean lost; // whoever could answer is dead
  boolean notDone; // it was told so

  /** What a mutant does when a command is decided. */
  BiConsumer<Outcome, RuntimeException> leak;

  Attempt(
      int request,
      int number,
      String client,
      Kind kind,
      EntryRef key,
      EntryRef other,
      long expected,
      RequestStamp stamp) {
    this.request = request;
    this.tag = request + "." + number;
    this.client = client;
    this.kind = kind;
    this.key = key;
    this.other = other;
    this.expected = expected;
    this.stamp = stamp;
    this.retried = number > 0;
  }

  /** The same request, sent again. */
  Attempt again(int number) {
    return new Attempt(request, number, client, kind, key, other, expected, stamp);
  }

  @Override
  public String sender() {
    return client;
  }

  @Override
  public RequestStamp request() {
    return stamp;
  }

  @Override
  public boolean maybeRetried() {
    return retried;
  }

  @Override
  public int bytes() {
    return 100;
  }

  @Override
  public List<EntryRef> reads() {
    return switch (kind) {
      case PUT_IF, ADD, DELETE, READ -> List.of(key);
      default -> List.of();
    };
  }

  @Override
  public List<Change> decide(PendingView view, long revision, long timestamp) {
    try {
      seen = reads().isEmpty() ? null : view.newest(key);
      List<Change> changes = changes(view, revision);
      if (leak != null) {
        leak.accept(
            new Outcome(
                changes.isEmpty() ? revision - 1 : revision,
                timestamp,
                new LogRecord(client, stamp, changes),
                false),
            null);
      }
      return changes;
    } catch (RuntimeException refusal) {
      if (leak != null) {
        leak.accept(null, refusal);
      }
      throw refusal;
    }
  }

  private List<Change> changes(PendingView view, long revision) {
    return switch (kind) {
      case READ -> NOTHING;
      case PUT -> List.of(put(key, 0));
      case BOTH -> List.of(put(key, 0), put(other, 0));
      case APPEND -> List.of(put(appended(revision), 0));
      case ADD -> List.of(put(key, number(seen) + 1));
      case DELETE -> {
        if (!isThere(seen)) {
          throw new IllegalStateException("absent");
        }
        yield List.of(new Change.OfEntry(key, true, null, 0, tag));
      }
      case PUT_IF -> {
        if (seen.map(Version::revision).orElse(0L) != expected) {
          throw new IllegalStateException("mismatch");
        }
        yield List.of(put(key, 0));
      }
      case STATE -> {
        long next = view.state(COUNTER).map(Attempt::number).orElse(0L) + 1;
        yield List.of(new Change.OfState(COUNTER, body(next)), put(key, 0));
      }
    };
  }

  private Change put(EntryRef entry, long number) {
    Bytes body = body(number);
    return new Change.OfEntry(entry, false, body, body.length(), tag);
  }

  private Bytes body(long number) {
    return Bytes.utf8(tag + ":" + number);
  }

  static EntryRef appended(long revision) {
    return new EntryRef((byte) 1, Bytes.utf8("log/%05d".formatted(revision)));
  }

  static boolean isThere(Optional<Version> version) {
    return version.isPresent() && !version.get().deleted();
  }

  static long number(Optional<Version> version) {
    return isThere(version) ? number(version.get().body()) : 0;
  }

  static long number(Bytes body) {
    String text = body.utf8();
    return Long.parseLong(text.substring(text.indexOf(':') + 1));
  }

  @Override
  public String toString() {
    return "%s [%s] of [%s], key [%s], expected [%d], id [%s]"
        .formatted(kind, tag, client, key.key().utf8(), expected, stamp);
  }
}
