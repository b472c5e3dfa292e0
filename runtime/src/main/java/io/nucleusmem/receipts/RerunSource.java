package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** What a rerun plays back, and the spaces that it plays with. */
public final class RerunSource {
  /** Inputs that one rerun can take. */
  public static final int INPUTS_MAX = 10_000;

  /**
   * Records of an agent that are looked through for one rerun: those of the range are in memory.
   */
  public static final int RECORDS_MAX = 500_000;

  // what came of the last inputs stands a little behind them
  private static final Duration BEHIND = Duration.ofMinutes(1);

  private final ReceiptsClient client;
  private final ReceiptReader reader;
  private final VersionSource versions;

  RerunSource(ReceiptsClient client, ReceiptReader reader, VersionSource versions) {
    this.client = client;
    this.reader = reader;
    this.versions = versions;
  }

  /**
   * The lives of an agent in a range, in their order.
   *
   * @return fails as {@link Receipts#saw} does, and where the range has no input, or too many
   */
  public CompletionStage<List<Tape>> tapes(
      Principal caller, String agent, Instant from, Instant until, Set<Tape.Without> without) {
    Map<Life, Tape> tapes = new LinkedHashMap<>();
    int[] taken = new int[2]; // inputs, records
    long last = Timestamps.lastOf(until.toEpochMilli());
    return client
        .mine(caller, agent)
        .thenCompose(
            mine ->
                reader
                    .lives(agent)
                    .thenCompose(
                        lives ->
                            collect(
                                agent,
                                Place.before(Timestamps.firstOf(Math.max(0, from.toEpochMilli()))),
                                last,
                                (life, record, timestamp) -> {
                                  if (mine.contains(life)) {
                                    bounded(taken, record);
                                    tapes
                                        .computeIfAbsent(
                                            life, key -> new Tape(lives.get(key), from, without))
                                        .add(record, timestamp);
                                  }
                                })))
        .thenCombine(
            reader.floor(), // behind what was read
            (done, floor) -> {
              ReceiptFloor.require(
                  Place.before(Timestamps.firstOf(Math.max(0, from.toEpochMilli()))), floor);
              tapes.values().forEach(Tape::close);
              List<Tape> played =
                  tapes.values().stream().filter(tape -> !tape.inputs().isEmpty()).toList();
              int inputs = played.stream().mapToInt(tape -> tape.inputs().size()).sum();
              if (inputs == 0) {
                throw MemSpaceException.invalid(
                    "from",
                    from + " until " + until,
                    "a range in which agent [%s] got something".formatted(agent));
              }
              return played;
            });
  }

  /** Refuses while it reads: a long range is not taken into memory first. */
  private static void bounded(int[] taken, LogRecord record) {
    if (isInput(record) && ++taken[0] > INPUTS_MAX) {
      throw MemSpaceException.tooLarge("the rerun", taken[0], INPUTS_MAX, "inputs");
    }
    if (++taken[1] > RECORDS_MAX) {
      throw MemSpaceException.tooLarge("the rerun", taken[1], RECORDS_MAX, "records");
    }
  }

  private static boolean isInput(LogRecord record) {
    return record instanceof LogRecord.Delivered it && it.input()
        || record instanceof LogRecord.Called call && call.kind().equals(LifeLog.TIMER);
  }

  private interface Taker {
    void take(Life life, LogRecord record, long timestamp);
  }

  private CompletionStage<Void> collect(String agent, Place after, long last, Taker taker) {
    return reader
        .ofAgent(agent, after, last + Timestamps.firstOf(BEHIND.toMillis()))
        .thenCompose(
            page -> {
              Place place = after;
              for (Round round : page.rounds()) {
                place = Place.of(round);
                for (LogRecord record : round.records()) {
                  boolean late = round.timestamp() > last;
                  if (record.agent().equals(agent) && !(late && isInput(record))) {
                    taker.take(record.life(), record, round.timestamp());
                  }
                }
              }
              return page.more()
                  ? collect(agent, place, last, taker)
                  : java.util.concurrent.CompletableFuture.completedStage(null);
            });
  }

  /** A space as the rerun gets it. */
  public MountedSpace space(
      String agent, Tape tape, Began.Mounted mounted, Optional<MountedSpace> scratch) {
    MountInfo info =
        new MountInfo(
            mounted.mount(),
            mounted.space(),
            "agent/" + agent,
            Access.ofLabel(mounted.access()),
            Set.of(),
            List.of(),
            Set.of(),
            "rerun",
            false);
    return new SandboxSpace(info, tape, versions, scratch);
  }

  /** The entry that an input names, a deletion too. */
  public CompletionStage<Optional<Entry>> entry(Tape.Input input) {
    return versions.entry(input.mount(), input.version());
  }

  /** The message that an input names. */
  public CompletionStage<Optional<Message>> message(Tape.Input input) {
    return versions.message(input.mount(), input.version());
  }

  /** A message that was sent then. */
  public CompletionStage<Optional<Message>> message(String mount, SeenVersion version) {
    return versions.message(mount, version);
  }
}
