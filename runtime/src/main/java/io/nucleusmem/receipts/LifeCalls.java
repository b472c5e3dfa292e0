package io.nucleusmem.receipts;

import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.receipts.LifeLog.Mark;
import io.nucleusmem.store.Bytes;

/**
 * Records what a life got from outside of its spaces. What is recorded is on disk before the next
 * effect leaves. Every method fails with {@link MemSpaceException} {@code BUSY} where too much
 * waits: then what came must not be handed over.
 */
public final class LifeCalls {
  /** A call of a model or tool. */
  public static final String CALL = "call";

  /** The clock was read. */
  public static final String CLOCK = "clock";

  /** The seed of a source of random numbers. */
  public static final String RANDOM = "random";

  /** A timer fired. */
  public static final String TIMER = "timer";

  /** Blocking work; its name is its number among what its input asked for. */
  public static final String BLOCKING = "blocking";

  /** Steps were refused; their name is as that of blocking work. */
  public static final String STEPS = "steps";

  /** The router was asked for something. */
  public static final String ROUTER = "router";

  /** A space was mounted or unmounted. */
  public static final String MOUNT = "mount";

  static final String READ = "read"; // that failed
  static final String FACT = "fact"; // what was told of topics and subscriptions
  static final String NEXT = "next"; // page of a read
  static final String ASKED = "asked "; // before a kind: it left, the answer has its own record
  static final String TOO_LARGE = "/too-large"; // behind a kind: the reply is its hash
  static final String NOT_KEPT = "/not-kept"; // behind a kind: the reply is why

  private final LifeLog life;
  private final String agent;
  private final Life id;

  LifeCalls(LifeLog life, String agent, Life id) {
    this.life = life;
    this.agent = agent;
    this.id = id;
  }

  /** Records that something is asked for: where its answer is missing, there was none. */
  public void asks(String kind, String name, Mark during, Bytes request) {
    answered(ASKED + kind, name, during, request, Bytes.EMPTY, 0, 0);
  }

  /** Records what the clock or a source of random numbers gave. */
  public void answered(String kind, Mark during, Bytes reply) {
    answered(kind, "", during, Bytes.EMPTY, reply, 0, 0);
  }

  /**
   * Records an answer. Of the request its hash is kept; of a reply that is too large too.
   *
   * @param micros how long it took
   * @param tokens that a model counted; 0: unknown
   */
  public void answered(
      String kind, String name, Mark during, Bytes request, Bytes reply, long micros, long tokens) {
    called(kind, name, during, request, false, reply, micros, tokens);
  }

  /** Records that something failed. */
  public void failed(
      String kind, String name, Mark during, Bytes request, Throwable failure, long micros) {
    called(kind, name, during, request, true, Failures.encode(failure), micros, 0);
  }

  /**
   * Records the result of blocking work, if it is plain and no content of the memory.
   *
   * @param loader that knows the agent's classes
   */
  public void worked(Mark during, long ask, LifeLog.Worked<?> done, ClassLoader loader) {
    String name = Long.toString(ask);
    if (done.failure() != null) {
      failed(BLOCKING, name, during, Bytes.EMPTY, done.failure(), 0);
      return;
    }
    String why = "it read from spaces, whose content is not copied; use steps, which run again";
    if (!done.read()) {
      try {
        Bytes plain = PlainValues.encode(done.result(), loader);
        answered(BLOCKING, name, during, Bytes.EMPTY, plain, 0, 0);
        return;
      } catch (PlainValues.NotPlain other) {
        why = "its result is " + other.getMessage();
      }
    }
    answered(BLOCKING + NOT_KEPT, name, during, Bytes.EMPTY, Bytes.utf8(why), 0, 0);
  }

  /** Records that a read failed. */
  void refused(String via, String space, Mark during, long request, Throwable failure) {
    failed(READ, readName(via, space), during, readRequest(request), failure, 0);
  }

  /** Records what was told of topics or subscriptions. */
  void told(String via, String space, Mark during, long request, Bytes fact) {
    answered(FACT, readName(via, space), during, readRequest(request), fact, 0, 0);
  }

  /** Records where the page behind one begins; before the page itself. */
  void next(String via, String space, Mark during, long request, String cursor) {
    Bytes reply = Bytes.utf8(cursor);
    answered(NEXT, readName(via, space), during, readRequest(request), reply, 0, 0);
  }

  static String readName(String via, String space) {
    return via + " " + space;
  }

  static Bytes readRequest(long request) {
    return Bytes.utf8(Long.toHexString(request));
  }

  private void called(
      String kind,
      String name,
      Mark during,
      Bytes request,
      boolean failed,
      Bytes reply,
      long micros,
      long tokens) {
    boolean kept = reply.length() <= life.settings().replyBytesMax();
    life.addRead(
        at ->
            new LogRecord.Called(
                agent,
                id,
                at,
                kept ? kind : kind + TOO_LARGE,
                name,
                during.input(),
                request.isEmpty() ? request : Hashes.sha256(request),
                failed,
                kept ? reply : Hashes.sha256(reply),
                micros,
                tokens));
  }
}
