package io.nucleusmem.receipts;

import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A row of the receipt log: what one commit recorded, for whatever agents of the node.
 *
 * <p>{@code format(1)=2 timestamp(8) before(varint) texts(varint) text* records(varint) record*};
 * texts are named by their place, since the receipts of a round have most of them in common. A
 * record: {@code kind(1) agent(varint) life(varint)}, then by kind as the methods below write them.
 *
 * <p>Where lives began in an earlier log of the node the format is 3: {@code homes(varint)
 * node(8)*} stands before the texts, and {@code home(varint)} behind each {@code life}: 0 is this
 * log, 1 the first of the homes. Where there are turns or reasons of failures, which versions
 * before them do not know, the format is higher by 2.
 *
 * @param node incarnation of the node
 * @param number of the round, from 1
 * @param timestamp the store's time
 * @param before bytes of all rounds of the node before this one
 */
record Round(long node, long number, long timestamp, long before, List<LogRecord> records) {
  private static final int FORMAT = 2;
  private static final int FORMAT_WITH_HOMES = 3;
  private static final int WITH_TURNS = 2; // more: there are turns, or reasons of failures
  private static final int FORMAT_WITHOUT_BYTES = 1; // no before in it
  private static final int DELIVERED = 1;
  private static final int CONFIRMED = 2;
  private static final int BEGAN = 3;
  private static final int ACTED = 4;
  private static final int CALLED = 5;
  private static final int TURN = 6;
  private static final int DONE = 1; // what became of an effect
  private static final int FAILED = 2; // and why, behind it
  private static final int INPUT = 0x80; // added to the code of how it came

  Bytes encode() {
    List<Long> homes =
        records.stream()
            .map(record -> record.life().node())
            .filter(home -> home != node)
            .distinct()
            .toList();
    Texts texts = new Texts(homes);
    BytesWriter body = new BytesWriter(64 * records.size() + 16);
    body.varint(records.size());
    records.forEach(record -> write(record, texts, body));
    BytesWriter out = new BytesWriter(body.size() + 64 + 8 * homes.size());
    int format = homes.isEmpty() ? FORMAT : FORMAT_WITH_HOMES;
    boolean turns = records.stream().anyMatch(Round::isNew);
    out.u8(turns ? format + WITH_TURNS : format).i64(timestamp).varint(before);
    if (!homes.isEmpty()) {
      out.varint(homes.size());
      homes.forEach(out::i64);
    }
    out.varint(texts.places.size());
    texts.places.keySet().forEach(out::text);
    return out.raw(body.toBytes()).toBytes();
  }

  /** True if versions before turns can't read it. */
  private static boolean isNew(LogRecord record) {
    return record instanceof LogRecord.Turn
        || record instanceof LogRecord.Acted act && !act.failure().isEmpty();
  }

  /** What records name by its place. */
  private static final class Texts {
    private final List<Long> homes;
    private final Map<String, Integer> places = new LinkedHashMap<>();

    Texts(List<Long> homes) {
      this.homes = homes;
    }

    int place(String text) {
      Integer there = places.putIfAbsent(text, places.size());
      return there == null ? places.size() - 1 : there;
    }
  }

  private static void write(LogRecord record, Texts texts, BytesWriter out) {
    if (record instanceof LogRecord.Delivered it) {
      head(DELIVERED, record, texts, out)
          .varint(it.seq())
          .u8(it.how().code() | (it.input() ? INPUT : 0));
      out.varint(texts.place(it.space())).varint(texts.place(it.mount()));
      out.varint(texts.place(it.via())).varint(it.during()).i64(it.request()).varint(it.at());
      versions(it.versions(), texts, out);
    } else if (record instanceof LogRecord.Confirmed it) {
      head(CONFIRMED, record, texts, out).varint(it.upTo().size());
      new TreeMap<>(it.upTo())
          .forEach((watch, upTo) -> out.varint(texts.place(watch)).varint(upTo));
    } else if (record instanceof LogRecord.LifeBegan it) {
      head(BEGAN, record, texts, out).bytes(StateJson.encode(it.what()));
    } else if (record instanceof LogRecord.Acted it) {
      head(ACTED, record, texts, out).varint(it.seq()).varint(texts.place(it.kind()));
      out.varint(texts.place(it.space())).varint(texts.place(it.mount()));
      out.varint(it.during()).i64(it.request());
      if (it.failure().isEmpty()) {
        out.u8(it.done() ? DONE : 0);
      } else {
        out.u8(FAILED).bytes(it.failure());
      }
      versions(it.versions(), texts, out);
    } else if (record instanceof LogRecord.Called it) {
      head(CALLED, record, texts, out).varint(it.seq()).varint(texts.place(it.kind()));
      out.varint(texts.place(it.name())).varint(it.during()).bytes(it.request());
      out.u8(it.failed() ? 1 : 0).bytes(it.reply()).varint(it.micros()).varint(it.tokens());
    } else if (record instanceof LogRecord.Turn it) {
      head(TURN, record, texts, out).varint(it.seq()).u8(it.kind().code());
      out.varint(it.after()).varint(it.input()).varint(it.ask());
    }
  }

  private static BytesWriter head(int kind, LogRecord record, Texts texts, BytesWriter out) {
    out.u8(kind).varint(texts.place(record.agent())).varint(record.life().number());
    return texts.homes.isEmpty()
        ? out
        : out.varint(texts.homes.indexOf(record.life().node()) + 1); // -1: this log
  }

  private static void versions(List<SeenVersion> versions, Texts texts, BytesWriter out) {
    out.varint(versions.size());
    for (SeenVersion version : versions) {
      out.u8(version.code()).varint(texts.place(version.key())).varint(version.revision());
    }
  }

  static Round decode(Bytes key, Bytes value) {
    BytesReader in = new BytesReader(value);
    int format = in.u8();
    if (format < FORMAT_WITHOUT_BYTES || format > FORMAT_WITH_HOMES + WITH_TURNS) {
      throw new IllegalStateException(
          "a row of receipts has the format [%d]; this version reads up to [%d]"
              .formatted(format, FORMAT_WITH_HOMES + WITH_TURNS));
    }
    long timestamp = in.i64();
    long before = format == FORMAT_WITHOUT_BYTES ? 0 : in.varint();
    List<Long> homes = new ArrayList<>(List.of(ReceiptKeys.nodeOf(key)));
    for (int left =
            format == FORMAT_WITH_HOMES || format == FORMAT_WITH_HOMES + WITH_TURNS
                ? in.count()
                : 0;
        left > 0;
        left--) {
      homes.add(in.i64());
    }
    List<String> texts = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      texts.add(in.text());
    }
    List<LogRecord> records = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      records.add(read(in, texts, homes));
    }
    return new Round(ReceiptKeys.nodeOf(key), ReceiptKeys.roundOf(key), timestamp, before, records);
  }

  private static LogRecord read(BytesReader in, List<String> texts, List<Long> homes) {
    int kind = in.u8();
    String agent = texts.get(in.count());
    long number = in.varint();
    Life life = new Life(homes.get(homes.size() == 1 ? 0 : in.count()), number);
    return switch (kind) {
      case DELIVERED -> {
        long seq = in.varint();
        int how = in.u8();
        yield new LogRecord.Delivered(
            agent,
            life,
            seq,
            How.ofCode(how & ~INPUT),
            (how & INPUT) != 0,
            texts.get(in.count()),
            texts.get(in.count()),
            texts.get(in.count()),
            in.varint(),
            in.i64(),
            in.varint(),
            versions(in, texts));
      }
      case CONFIRMED -> {
        Map<String, Long> upTo = new TreeMap<>();
        for (int left = in.count(); left > 0; left--) {
          upTo.put(texts.get(in.count()), in.varint());
        }
        yield new LogRecord.Confirmed(agent, life, upTo);
      }
      case BEGAN -> new LogRecord.LifeBegan(agent, life, StateJson.decode(in.bytes(), Began.class));
      case ACTED -> acted(agent, life, in, texts);
      case TURN ->
          new LogRecord.Turn(
              agent,
              life,
              in.varint(),
              LogRecord.TurnKind.ofCode(in.u8()),
              in.varint(),
              in.varint(),
              in.varint());
      case CALLED ->
          new LogRecord.Called(
              agent,
              life,
              in.varint(),
              texts.get(in.count()),
              texts.get(in.count()),
              in.varint(),
              in.bytes(),
              in.u8() == 1,
              in.bytes(),
              in.varint(),
              in.varint());
      default ->
          throw new IllegalStateException(
              "a record of receipts has the kind [%d]; known are 1 to 6".formatted(kind));
    };
  }

  private static LogRecord acted(String agent, Life life, BytesReader in, List<String> texts) {
    long seq = in.varint();
    String kind = texts.get(in.count());
    String space = texts.get(in.count());
    String mount = texts.get(in.count());
    long during = in.varint();
    long request = in.i64();
    int done = in.u8();
    Bytes failure = done == FAILED ? in.bytes() : Bytes.EMPTY;
    return new LogRecord.Acted(
        agent,
        life,
        seq,
        kind,
        space,
        mount,
        during,
        request,
        done == DONE,
        failure,
        versions(in, texts));
  }

  private static List<SeenVersion> versions(BytesReader in, List<String> texts) {
    List<SeenVersion> versions = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      int code = in.u8();
      versions.add(SeenVersion.ofCode(code, texts.get(in.count()), in.varint()));
    }
    return versions;
  }
}
