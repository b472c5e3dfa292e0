package io.nucleusmem.receipts;

import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rows by which rounds are found. Rounds of a node that follow each other are listed together:
 * a row for each of them, and for each version in it, would cost more than the rounds themselves.
 *
 * <p>A row stands at the first round that it lists, and lists none of another second of the store's
 * time. So what lies behind a place is found from the begin of its second on, and rows go with the
 * seconds that retention lets go. Between its first and its last round, both in its key, a row
 * lists all there are; so it is a function of the log, whoever writes it, and may be written twice.
 *
 * <pre>
 * of an agent    format(1)=1 places
 * of versions    format(1)=1 places versions(varint) version*
 * places         further(varint) (timestamp(varint) round(varint))*   each as the difference to the one before
 * version        tag(4) revision(varint, its last {@link ReceiptKeys#BLOCK_BITS} bits) count(varint) place(varint)*
 * </pre>
 *
 * A tag is a hash, so a row may name a round that does not have the version: who reads looks there.
 */
final class ReceiptListing {
  private static final int FORMAT = 1;
  private static final long BLOCK_MASK = (1L << ReceiptKeys.BLOCK_BITS) - 1;

  /** A row in the making. */
  private static final class Group {
    final List<Place> places = new ArrayList<>();
    final Map<Long, List<Integer>> versions = new LinkedHashMap<>(); // tag and revision: places

    void at(Place place) {
      if (places.isEmpty() || !places.get(places.size() - 1).equals(place)) {
        places.add(place);
      }
    }

    void saw(SeenVersion version) {
      long name =
          (long) ReceiptKeys.tag(version) << ReceiptKeys.BLOCK_BITS
              | version.revision() & BLOCK_MASK;
      List<Integer> in = versions.computeIfAbsent(name, any -> new ArrayList<>(2));
      int newest = places.size() - 1;
      if (in.isEmpty() || in.get(in.size() - 1) != newest) {
        in.add(newest);
      }
    }

    Bytes row() {
      BytesWriter out = new BytesWriter(16 + 8 * places.size() + 10 * versions.size());
      out.u8(FORMAT).varint(places.size() - 1);
      for (int i = 1; i < places.size(); i++) {
        Place before = places.get(i - 1);
        out.varint(places.get(i).timestamp() - before.timestamp());
        out.varint(places.get(i).round() - before.round());
      }
      if (!versions.isEmpty()) {
        out.varint(versions.size());
        versions.forEach(
            (name, in) -> {
              int tag = (int) (name >> ReceiptKeys.BLOCK_BITS);
              out.u8(tag >>> 24).u8(tag >>> 16 & 0xFF).u8(tag >>> 8 & 0xFF).u8(tag & 0xFF);
              out.varint(name & BLOCK_MASK).varint(in.size());
              in.forEach(out::varint);
            });
      }
      return out.toBytes();
    }
  }

  private final Map<Bytes, Group> open = new LinkedHashMap<>(); // by the key before its place
  private final Map<Bytes, Bytes> rows = new LinkedHashMap<>();

  /** Lists a round, which is behind those before. */
  void add(Round round) {
    Place place = Place.of(round);
    Set<String> agents = new HashSet<>();
    Map<String, Bytes> spaces = new HashMap<>(); // by mount
    for (LogRecord record : round.records()) {
      if (!(record instanceof LogRecord.Confirmed) && agents.add(record.agent())) {
        group(ReceiptKeys.agent(record.agent()), place);
      }
      if (record instanceof LogRecord.Delivered it) {
        Bytes space =
            spaces.computeIfAbsent(it.mount(), mount -> MemSpaceSystem.spaceOf(mount).bytes());
        for (SeenVersion version : it.versions()) {
          if (version.revision() > 0) {
            group(ReceiptKeys.block(space, version), place).saw(version);
          }
        }
      }
    }
  }

  private Group group(Bytes head, Place place) {
    Group group = open.get(head);
    if (group == null || !group.places.get(0).isOfSameSecond(place)) {
      if (group != null) {
        close(head, group);
      }
      group = new Group();
      open.put(head, group);
    }
    group.at(place);
    return group;
  }

  private void close(Bytes head, Group group) {
    List<Place> places = group.places;
    long last = places.get(places.size() - 1).round();
    rows.put(ReceiptKeys.listing(head, places.get(0), last), group.row());
  }

  /** All rows. */
  Map<Bytes, Bytes> rows() {
    open.forEach(this::close);
    open.clear();
    return rows;
  }

  /** The keys, before their places, of all rows that list a round. */
  static Set<Bytes> heads(Round round) {
    ReceiptListing alone = new ReceiptListing();
    alone.add(round);
    return alone.open.keySet();
  }

  /** The keys by which earlier versions listed a round. */
  static Set<Bytes> earlierKeys(Round round) {
    Set<Bytes> keys = new LinkedHashSet<>();
    for (LogRecord record : round.records()) {
      if (!(record instanceof LogRecord.Confirmed)) {
        keys.add(ReceiptKeys.ofAgent(record.agent(), Place.of(round)));
      }
      if (record instanceof LogRecord.Delivered it) {
        Bytes space = MemSpaceSystem.spaceOf(it.mount()).bytes();
        for (SeenVersion version : it.versions()) {
          if (version.revision() > 0) {
            keys.add(ReceiptKeys.ofVersion(space, version, Place.of(round)));
          }
        }
      }
    }
    return keys;
  }

  /** The rounds that a row of an agent lists, or one of an earlier version. */
  static List<Place> places(Row row) {
    return ReceiptKeys.isEarlier(row.key())
        ? List.of(ReceiptKeys.placeOf(row.key()))
        : places(row.key(), reader(row));
  }

  /** The rounds in which a row lists a version, or any of its key if its revision is 0. */
  static List<Place> places(Row row, SeenVersion version) {
    BytesReader in = reader(row);
    List<Place> places = places(row.key(), in);
    List<Place> found = new ArrayList<>();
    int wanted = ReceiptKeys.tag(version);
    for (int left = in.count(); left > 0; left--) {
      int tag = in.u8() << 24 | in.u8() << 16 | in.u8() << 8 | in.u8();
      long revision = in.varint();
      boolean matches =
          tag == wanted
              && (version.revision() == 0 || revision == (version.revision() & BLOCK_MASK));
      for (int count = in.count(); count > 0; count--) {
        int place = in.count();
        if (matches) {
          found.add(places.get(place));
        }
      }
    }
    return found;
  }

  private static BytesReader reader(Row row) {
    BytesReader in = new BytesReader(row.value());
    int format = in.u8();
    if (format != FORMAT) {
      throw new IllegalStateException(
          "a row of the index of receipts has the format [%d]; this version reads [%d]"
              .formatted(format, FORMAT));
    }
    return in;
  }

  private static List<Place> places(Bytes key, BytesReader in) {
    Place place = ReceiptKeys.placeOf(key);
    List<Place> places = new ArrayList<>(List.of(place));
    for (int left = in.count(); left > 0; left--) {
      place = new Place(place.timestamp() + in.varint(), place.node(), place.round() + in.varint());
      places.add(place);
    }
    return places;
  }
}
