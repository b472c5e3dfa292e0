package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.Command;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.RequestStamp;
import java.util.List;
import java.util.function.Function;

/** The commands of a topic. */
final class TopicCommand {
  private TopicCommand() {}

  /**
   * A message. The mount was opened on the owner's node; it is looked at once more where the
   * message is decided.
   */
  static final class Publish implements Command {
    private final String sender;
    private final RequestStamp request;
    private final boolean maybeRetried;
    private final Content content;
    private final String to;
    private final String topic;
    private final Grant grant; // null for a message of the system's own

    Publish(Topic.Publish message, String topic, Grant grant) {
      this.sender = message.sender();
      this.request = message.request();
      this.maybeRetried = message.maybeRetried();
      this.content = message.content();
      this.to = message.to();
      this.topic = topic;
      this.grant = grant;
    }

    @Override
    public String sender() {
      return sender;
    }

    @Override
    public RequestStamp request() {
      return request;
    }

    @Override
    public boolean maybeRetried() {
      return maybeRetried;
    }

    @Override
    public int bytes() {
      return 256 + content.value().length();
    }

    @Override
    public List<EntryRef> reads() {
      return List.of();
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      if (grant != null) {
        check();
      }
      return List.of(
          new Change.OfEntry(
              TopicRows.message(revision),
              false,
              ContentCodec.encode(content),
              content.value().length(),
              to));
    }

    private void check() {
      grant.verify();
      if (!grant.isValid(System.nanoTime())) {
        throw new MemSpaceException(
            ErrorCode.UNAVAILABLE, "the mount's lease ran out while the message waited; try again");
      }
      if (grant.archived()) {
        throw new MemSpaceException(
            ErrorCode.SPACE_ARCHIVED,
            "space [%s] is archived: it can be read, not written".formatted(grant.mount().space()));
      }
      if (!grant.mount().access().mayAppend() || !grant.mount().coversTopic(topic)) {
        throw SpaceCommand.notCovered(grant.mount(), "topic " + topic);
      }
    }
  }

  /** Rows of state, as they are when this is decided. */
  record SaveState(String author, Function<PendingView, List<Change>> changes) implements Command {
    @Override
    public String sender() {
      return author;
    }

    @Override
    public RequestStamp request() {
      return null;
    }

    @Override
    public int bytes() {
      return 1_024;
    }

    @Override
    public List<EntryRef> reads() {
      return List.of();
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      return changes.apply(view);
    }
  }
}
