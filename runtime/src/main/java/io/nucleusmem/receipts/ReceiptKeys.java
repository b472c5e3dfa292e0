package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.Timestamps;
import java.util.List;

/**
 * Where receipts lie. Numbers are big endian; {@code escaped} is as in a ledger's keys.
 *
 * <pre>
 * r 'N' node(8)                                                          a node's incarnation: see {@link NodeRow}
 * r 'L' node(8) round(8)                                                 a round, see {@link Round}; all else follows from these
 * r 'G' escaped(agent) timestamp(8) node(8) round(8) last(8)             rounds that have something of the agent: {@link ReceiptListing}
 * r 'W' space(16) region(1) bucket block(8) timestamp(8) node(8) round(8) last(8)   versions that somebody received, and in which rounds: {@link ReceiptListing}
 * r 'A' escaped(agent) timestamp(8) node(8) round(8)                     as 'G', of one round; earlier versions wrote it
 * r 'V' space(16) region(1) escaped(key) revision(8) timestamp(8) node(8) round(8)   as 'W', of one version and round; earlier versions wrote it
 * r 'B' escaped(agent) node(8) life(8)                                   what the agent was in that life (JSON)
 * r 'C' escaped(agent) node(8) life(8)                                   how far the life has certainly come
 * r 'I' node(8)                                                          the derived rows of rounds up to this one are there
 * r 'F' timestamp(8)                                                     receipts before may be gone; the latest counts
 * </pre>
 *
 * The region of a message is 80 + that of {@code comm}, its key the topic's name. A bucket is the
 * last {@value #BUCKET_BITS} bits of an entry's {@link #tag} (1 byte), or {@code escaped(topic)}; a
 * block is a revision without its last {@value #BLOCK_BITS} bits.
 */
final class ReceiptKeys {
  private static final int PREFIX = 'r';
  private static final int NUMBERS = 24; // timestamp, node, round
  private static final int BUCKET_BITS = 6;
  private static final long SECOND_MILLIS = 1_000;

  /** Versions whose revisions differ in these bits alone may share a row. */
  static final int BLOCK_BITS = 10;

  private ReceiptKeys() {}

  private static BytesWriter head(int kind, int more) {
    return new BytesWriter(2 + more).u8(PREFIX).u8(kind);
  }

  static Bytes node(long node) {
    return head('N', 8).i64(node).toBytes();
  }

  /** All incarnations from one on. */
  static KeyRange nodesFrom(long node) {
    return new KeyRange(node(node), KeyRange.after(head('N', 0).toBytes()));
  }

  static Bytes round(long node, long round) {
    return head('L', 16).i64(node).i64(round).toBytes();
  }

  /** The rounds of a node behind one. */
  static KeyRange roundsAfter(long node, long round) {
    return new KeyRange(round(node, round + 1), KeyRange.after(head('L', 8).i64(node).toBytes()));
  }

  /** The node of its row, or of a round's. */
  static long nodeOf(Bytes key) {
    return new BytesReader(key, 2).i64();
  }

  static long roundOf(Bytes roundKey) {
    return new BytesReader(roundKey, 10).i64();
  }

  static Bytes indexed(long node) {
    return head('I', 8).i64(node).toBytes();
  }

  static Bytes floor(long timestamp) {
    return head('F', 8).i64(timestamp).toBytes();
  }

  static KeyRange floors() {
    return KeyRange.prefix(head('F', 0).toBytes());
  }

  static long floorOf(Bytes key) {
    return new BytesReader(key, 2).i64();
  }

  private static BytesWriter agent(int kind, String agent, int more) {
    Bytes name = Bytes.utf8(agent);
    return head(kind, name.length() + 2 + more).escaped(name);
  }

  static Bytes ofAgent(String agent, Place place) {
    return place(agent('A', agent, NUMBERS), place).toBytes();
  }

  /** The rounds of an agent behind a place and up to a time, in rows of earlier versions. */
  static KeyRange rangeOfAgent(String agent, Place after, long until) {
    return new KeyRange(next(ofAgent(agent, after)), agent('A', agent, 8).i64(until + 1).toBytes());
  }

  /** The key of an agent's rows before the place. */
  static Bytes agent(String agent) {
    return agent('G', agent, 0).toBytes();
  }

  /** The rows of a head that list something of a second, or more of those behind it. */
  static KeyRange from(Bytes head, long timestamp) {
    return new KeyRange(time(head, second(timestamp)), KeyRange.after(head));
  }

  /** The rows of a head that list something of a second. */
  static KeyRange ofSecond(Bytes head, long timestamp) {
    long second = second(timestamp);
    return new KeyRange(
        time(head, second),
        time(head, Timestamps.firstOf(Timestamps.millis(second) + SECOND_MILLIS)));
  }

  private static Bytes time(Bytes head, long timestamp) {
    return new BytesWriter(head.length() + 8).raw(head).i64(timestamp).toBytes();
  }

  /** The key of rows that may list a version, before the place. */
  static Bytes block(Bytes space, SeenVersion version) {
    return bucket(space, version).i64(version.revision() >>> BLOCK_BITS).toBytes();
  }

  /** The rows that may list a version of a key. */
  static KeyRange rangeOfBucket(Bytes space, SeenVersion version) {
    return KeyRange.prefix(bucket(space, version).toBytes());
  }

  private static BytesWriter bucket(Bytes space, SeenVersion version) {
    if (!version.topic()) {
      return head('W', 16 + 2 + 8)
          .raw(space)
          .u8(version.code())
          .u8(tag(version) & (1 << BUCKET_BITS) - 1);
    }
    Bytes name = Bytes.utf8(version.key());
    return head('W', 16 + 1 + name.length() + 2 + 8).raw(space).u8(version.code()).escaped(name);
  }

  /**
   * Tells keys apart, most of the time: Java's hash of the text, its bits mixed as MurmurHash3
   * ends.
   */
  static int tag(SeenVersion version) {
    int hash = version.key().hashCode();
    hash = (hash ^ hash >>> 16) * 0x85EBCA6B;
    hash = (hash ^ hash >>> 13) * 0xC2B2AE35;
    return hash ^ hash >>> 16;
  }

  /**
   * The key of a row.
   *
   * @param last number of the last round that it lists: rows that list others are others
   */
  static Bytes listing(Bytes head, Place first, long last) {
    return place(new BytesWriter(head.length() + NUMBERS + 8).raw(head), first).i64(last).toBytes();
  }

  /** The begin of a timestamp's second: no row lists rounds of two. */
  static long second(long timestamp) {
    long millis = Timestamps.millis(timestamp);
    return Timestamps.firstOf(millis - millis % SECOND_MILLIS);
  }

  /** All rows that earlier versions wrote. */
  static List<KeyRange> earlier() {
    return List.of(
        KeyRange.prefix(head('A', 0).toBytes()), KeyRange.prefix(head('V', 0).toBytes()));
  }

  static Bytes ofVersion(Bytes space, SeenVersion version, Place place) {
    return place(key(space, version).i64(version.revision()), place).toBytes();
  }

  /** The deliveries of one version behind a place. */
  static KeyRange rangeOfVersion(Bytes space, SeenVersion version, Place after) {
    Bytes all = key(space, version).i64(version.revision()).toBytes();
    return new KeyRange(next(ofVersion(space, version, after)), KeyRange.after(all));
  }

  private static Bytes next(Bytes key) {
    return key.concat(Bytes.wrap(new byte[1]));
  }

  /** The deliveries of all versions of a key. */
  static KeyRange rangeOfKey(Bytes space, SeenVersion version) {
    return KeyRange.prefix(key(space, version).toBytes());
  }

  private static BytesWriter key(Bytes space, SeenVersion version) {
    Bytes name = Bytes.utf8(version.key());
    return head('V', 16 + 1 + name.length() + 2 + 8 + NUMBERS)
        .raw(space)
        .u8(version.code())
        .escaped(name);
  }

  private static BytesWriter place(BytesWriter key, Place place) {
    return key.i64(place.timestamp()).i64(place.node()).i64(place.round());
  }

  /** True if the row is one of those that earlier versions wrote: it has no value. */
  static boolean isEarlier(Bytes key) {
    return key.at(1) == 'A' || key.at(1) == 'V';
  }

  /** The place in the key of a row by which rounds are found. */
  static Place placeOf(Bytes key) {
    BytesReader in = new BytesReader(key, key.length() - NUMBERS - (isEarlier(key) ? 0 : 8));
    return new Place(in.i64(), in.i64(), in.i64());
  }

  static Bytes began(String agent, Life life) {
    return agent('B', agent, 16).i64(life.node()).i64(life.number()).toBytes();
  }

  /** All lives of an agent. */
  static KeyRange began(String agent) {
    return KeyRange.prefix(agent('B', agent, 0).toBytes());
  }

  /** All lives of all agents. */
  static KeyRange began() {
    return KeyRange.prefix(head('B', 0).toBytes());
  }

  /** The key of how far a life has come, from that of what it was. */
  static Bytes confirmedOf(Bytes began) {
    BytesReader in = new BytesReader(began, 2);
    return head('C', began.length()).raw(in.rest()).toBytes();
  }

  /** The life in a key of {@link #began}. */
  static Life lifeOf(Bytes key) {
    BytesReader in = new BytesReader(key, key.length() - 16);
    return new Life(in.i64(), in.i64());
  }

  static Bytes confirmed(String agent, Life life) {
    return agent('C', agent, 16).i64(life.node()).i64(life.number()).toBytes();
  }

  /**
   * A round in the order of all: by time, which rises with each round of a node.
   *
   * @param timestamp the store's, unique
   */
  record Place(long timestamp, long node, long round) implements Comparable<Place> {
    /** Before all that was recorded from a timestamp on. */
    static Place before(long timestamp) {
      return new Place(timestamp, 0, 0);
    }

    static Place of(Round round) {
      return new Place(round.timestamp(), round.node(), round.number());
    }

    Bytes roundKey() {
      return ReceiptKeys.round(node, round);
    }

    boolean isOfSameSecond(Place other) {
      return ReceiptKeys.second(timestamp) == ReceiptKeys.second(other.timestamp);
    }

    @Override
    public int compareTo(Place other) {
      int byTime = Long.compare(timestamp, other.timestamp);
      int byNode = byTime != 0 ? byTime : Long.compare(node, other.node);
      return byNode != 0 ? byNode : Long.compare(round, other.round);
    }
  }
}
