package io.nucleusmem.agent.testkit;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Published;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An agent that a test plays: what the agent under test writes to it, the test reads. */
public final class TestPeer {
  private static final int RECEIVED_MAX = 10_000; // unread; one more crashes the peer

  /** A message of its inbox. */
  record Told(AgentContext.Seen<Message> message) {}

  private final AgentTestKit kit;
  private final String id;
  private final BlockingQueue<Message> received = new LinkedBlockingQueue<>(RECEIVED_MAX);
  private final Life<AgentContext<Told>> life = new Life<>();
  private long newest; // revision received; what comes again after a crash is no news

  TestPeer(AgentTestKit kit, String id) {
    this.kit = kit;
    this.id = id;
  }

  /** What it was given by a node that is gone is of no use. */
  void nodeEnds() {
    life.ends();
  }

  Behavior<Told> begin(AgentContext<Told> itsContext) {
    life.begins(itsContext);
    return Behaviors.receiveMessage(
        told -> {
          Message message = told.message().what();
          if (message.revision() > newest) {
            received.add(message);
            newest = message.revision();
          }
          return Behaviors.same();
        });
  }

  /** Writes into the inbox of the agent under test. */
  public Published send(Content content) {
    return kit.await(kit.await(life.current()).send(kit.id(), content));
  }

  /** Answers a question that the agent under test asked. */
  public Published reply(Message question, Content answer) {
    return kit.await(kit.await(life.current()).reply(question, answer));
  }

  /** The next message that came; in order, each once. */
  public Message received() {
    try {
      Message next = received.poll(AgentTestKit.WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS);
      if (next == null) {
        throw new AssertionError(
            "waited [%s] for a message to [%s]; the agent is %s"
                .formatted(AgentTestKit.WAIT_MAX, id, kit.info()));
      }
      return next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for a message to [%s]".formatted(id), e);
    }
  }
}
