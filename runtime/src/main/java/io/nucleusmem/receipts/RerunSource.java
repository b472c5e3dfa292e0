package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

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
    Place start = Place.before(Timestamps.firstOf(Math.max(0, from.toEpochMilli())));
    long last = Timestamps.lastOf(until.toEpochMilli());
    Map<Life, Tape> tapes = new LinkedHashMap<>();
    return client
        .mine(caller, agent)
        .thenCombine(
            reader.lives(agent),
            (mine, lives) ->
                collect(
                    agent,
                    start,
                    last,
                    new Taker(
                        last,
                        life ->
                            mine.contains(life)
                                ? Optional.of(
                                    tapes.computeIfAbsent(
                                        life, key -> new Tape(lives.get(key), from, without)))
                                : Optional.empty())))
        .thenCompose(collected -> collected)
        .thenCompose(done -> reader.ended(tapes.keySet()))
        .thenCompose(ended -> reader.lives(agent, over(tapes.keySet(), ended)))
        .thenCombine(
            reader.floor(), // behind what was read
            (over, floor) -> {
              ReceiptFloor.require(start, floor);
              tapes.forEach((life, tape) -> tape.close(Optional.ofNullable(over.get(life))));
              List<Tape> played = tapes.values().stream().filter(Tape::hasInputs).toList();
              if (played.isEmpty()) {
                throw MemSpaceException.invalid(
                    "from",
                    from + " until " + until,
                    "a range in which agent [%s] got something".formatted(agent));
              }
              return played;
            });
  }

  /** Those lives whose node has ended, or behind which there is another one. */
  private static Set<Life> over(Set<Life> inOrder, Set<Life> ended) {
    List<Life> all = List.copyOf(inOrder);
    Set<Life> over = new HashSet<>(ended);
    over.addAll(all.subList(0, Math.max(0, all.size() - 1)));
    return over;
  }

  /** Puts records onto their tapes; refuses while it reads, a long range is not kept first. */
  private static final class Taker {
    private final long last;
    private final Function<Life, Optional<Tape>> tapes;
    private int inputs;
    private int records;

    /**
     * @param last timestamp of the last input
     */
    Taker(long last, Function<Life, Optional<Tape>> tapes) {
      this.last = last;
      this.tapes = tapes;
    }

    void take(Round round, LogRecord record) {
      Optional<Tape> tape = tapes.apply(record.life());
      if (tape.isEmpty()) {
        return;
      }
      boolean input = Tape.isInput(record);
      if (input && round.timestamp() > last) {
        tape.get().skip(record);
        return;
      }
      if (input && ++inputs > INPUTS_MAX) {
        throw MemSpaceException.tooLarge("the rerun", inputs, INPUTS_MAX, "inputs");
      }
      if (++records > RECORDS_MAX) {
        throw MemSpaceException.tooLarge("the rerun", records, RECORDS_MAX, "records");
      }
      tape.get().add(record, round.timestamp());
    }
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
                  if (record.agent().equals(agent)) {
                    taker.take(round, record);
                  }
                }
              }
              return page.more()
                  ? collect(agent, place, last, taker)
                  : CompletableFuture.completedStage(null);
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
    return new SandboxSpace(info, mounted.isRecorded(), tape, versions, scratch);
  }

  /** The entry that an input names, a deletion too; fails where it can't be read any more. */
  public CompletionStage<Entry> entry(Tape.Input input) {
    SeenVersion version = input.version();
    return VersionSource.required(input.space(), version, versions.entry(input.mount(), version));
  }

  /** The message that an input names; fails where it can't be read any more. */
  public CompletionStage<Message> message(Tape.Input input) {
    SeenVersion version = input.version();
    return VersionSource.required(input.space(), version, versions.message(input.mount(), version));
  }

  /**
   * The signal that a watch had brought of an entry.
   *
   * @param values whether small contents travelled with it
   */
  public static Signal signal(Entry entry, boolean values) {
    boolean inline =
        values
            && !entry.deleted()
            && entry.content().value().length() <= WatchRequest.INLINE_BYTES_MAX;
    return new Signal(
        entry.key(),
        entry.revision(),
        entry.timestamp(),
        entry.author(),
        entry.deleted(),
        Optional.empty(),
        inline ? Optional.of(entry.content()) : Optional.empty());
  }

  /** A message that was sent then, if it can be read. */
  public CompletionStage<Optional<Message>> sent(Tape.Done done) {
    return versions.readable(versions.message(done.mount(), done.versions().get(0)));
  }

  /** Completes when all that was begun to be written in a space of {@link #space} is. */
  public CompletionStage<Void> settled(MountedSpace space) {
    return ((SandboxSpace) space).settled();
  }

  /**
   * Gives what a watch of the behavior's own brought to the handler that watches in a rerun.
   *
   * @param space of {@link #space}
   * @return completes with the handler; fails where a version can't be read any more
   */
  public CompletionStage<Void> deliver(MountedSpace space, Tape.Raw watched) {
    return ((SandboxSpace) space).deliver(watched);
  }
}
