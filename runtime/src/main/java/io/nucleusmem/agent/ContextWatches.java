package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import io.nucleusmem.agent.AgentContext.Seen;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.receipts.How;
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.receipts.RecordedSpace;
import io.nucleusmem.receipts.SeenVersion;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The watches of one life of an agent's behavior, that of its inbox among them. */
final class ContextWatches<M> {
  static final String INBOX = "inbox";

  private final AgentContextImpl<M> context;
  private final AgentType<M> type;
  private final String inboxes; // name of their space
  private final ActorRef<AgentRunner.Message> runner;
  private final MountedSpace inbox;
  private final Map<String, CompletableFuture<Message>> asked = new ConcurrentHashMap<>();
  private boolean watchesInbox;

  ContextWatches(
      AgentContextImpl<M> context,
      AgentType<M> type,
      String inboxes,
      ActorRef<AgentRunner.Message> runner,
      MountedSpace inbox) {
    this.context = context;
    this.type = type;
    this.inboxes = inboxes;
    this.runner = runner;
    this.inbox = inbox;
    this.watchesInbox = type.inbox().isPresent();
  }

  void watch(String name, String space, WatchRequest request, Function<Seen<Signal>, M> message) {
    RecordedSpace recorded = context.space(space);
    MountedSpace mounted = recorded.unrecorded();
    start(
        new AgentWatch(
            name,
            space,
            request.from(),
            (from, handler) ->
                mounted.watch(
                    new WatchRequest(request.region(), request.prefix(), from, request.values()),
                    handler),
            signal ->
                CompletableFuture.completedFuture(
                    redelivered -> message.apply(new Seen<>(signal, redelivered))),
            receipts(
                recorded,
                (signals, redelivered) ->
                    context
                        .life()
                        .input(
                            How.SIGNAL,
                            space,
                            mounted.mount().id(),
                            space + "/" + name,
                            redelivered,
                            signals.stream()
                                .map(
                                    s ->
                                        SeenVersion.entry(
                                            s.key().region(), s.key().name(), s.revision()))
                                .toList())),
            context));
  }

  private static Optional<AgentWatch.Receipts> receipts(
      RecordedSpace space, AgentWatch.Receipts receipts) {
    return space.receipts() ? Optional.of(receipts) : Optional.empty();
  }

  void subscribe(String name, String space, String topic, Function<Seen<Message>, M> message) {
    RecordedSpace recorded = context.space(space);
    MountedSpace mounted = recorded.unrecorded();
    start(
        ofTopic(
            name,
            space,
            mounted.topic(topic),
            OptionalLong.empty(),
            message::apply,
            receipts(recorded, messages(space, space + "/" + name, mounted, topic))));
  }

  private AgentWatch.Receipts messages(
      String space, String watch, MountedSpace mounted, String topic) {
    LifeLog life = context.life();
    return (signals, redelivered) ->
        life.input(
            How.MESSAGE,
            space,
            mounted.mount().id(),
            watch,
            redelivered,
            signals.stream().map(s -> SeenVersion.message(topic, s.revision())).toList());
  }

  private AgentWatch ofTopic(
      String name,
      String space,
      MountedTopic topic,
      OptionalLong firstFrom,
      Function<Seen<Message>, Object> message,
      Optional<AgentWatch.Receipts> receipts) {
    return new AgentWatch(
        name,
        space,
        firstFrom,
        (from, handler) -> topic.watch(from, Optional.of(context.id()), true, handler),
        signal ->
            fetch(topic, signal)
                .thenApply(found -> redelivered -> message.apply(new Seen<>(found, redelivered))),
        receipts,
        context);
  }

  private static CompletionStage<Message> fetch(MountedTopic topic, Signal signal) {
    if (signal.content().isEmpty()) {
      return topic.message(signal.revision()).thenApply(Optional::orElseThrow);
    }
    return CompletableFuture.completedFuture(
        new Message(
            Message.id(topic.name(), signal.timestamp(), signal.author()),
            topic.name(),
            signal.revision(),
            signal.timestamp(),
            signal.author(),
            signal.to(),
            signal.content().get()));
  }

  private void start(AgentWatch watch) {
    if (watch.name().equals(INBOX)) {
      throw new IllegalArgumentException(
          "the watch name [inbox] is the runtime's own; choose another");
    }
    runner.tell(new AgentRunner.StartWatch(watch));
  }

  // ---- the inbox ----

  /** Answers to what was asked go to whoever asked, the rest to the behavior. */
  AgentWatch inbox() {
    String topic = Inboxes.topic(context.id());
    return ofTopic(
        INBOX,
        inboxes,
        inbox.topic(topic),
        OptionalLong.of(1),
        this::received,
        Optional.of(messages(inboxes, INBOX, inbox, topic)));
  }

  private M received(Seen<Message> seen) {
    String answered = seen.what().content().metadata().get(Inboxes.ANSWER);
    CompletableFuture<Message> question = answered == null ? null : asked.remove(answered);
    if (question != null) {
      question.complete(seen.what());
      return null;
    }
    return type.inbox().map(adapter -> adapter.apply(seen)).orElse(null);
  }

  /** The answer to a question that is being sent. */
  CompletableFuture<Message> answerTo(String askId) {
    CompletableFuture<Message> answered = new CompletableFuture<>();
    asked.put(askId, answered);
    if (!watchesInbox) {
      watchesInbox = true;
      runner.tell(new AgentRunner.StartWatch(inbox()));
    }
    return answered;
  }

  /** Nobody waits for the answer any more. */
  void forget(String askId) {
    asked.remove(askId);
  }
}
