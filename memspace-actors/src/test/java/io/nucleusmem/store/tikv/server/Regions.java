package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.tikv.shade.com.google.protobuf.ByteString;

/** The cut of the key space into regions. Also the monitor under which requests take turns. */
final class Regions {
  private final NavigableMap<ByteString, Region> byStart = new TreeMap<>(RegionKey.ORDER);
  private long lastId = 1;

  Regions(List<Long> stores) {
    put(new Region(1, ByteString.EMPTY, ByteString.EMPTY, 1, 1, stores, stores.get(0)));
  }

  synchronized Region at(ByteString key) {
    return byStart.floorEntry(key).getValue();
  }

  synchronized Optional<Region> before(ByteString key) {
    return Optional.ofNullable(byStart.lowerEntry(at(key).start())).map(Map.Entry::getValue);
  }

  synchronized Optional<Region> byId(long id) {
    return byStart.values().stream().filter(region -> region.id() == id).findFirst();
  }

  /** Those that hold keys between the bounds; an empty end is no bound. */
  synchronized List<Region> between(ByteString from, ByteString to) {
    List<Region> found = new ArrayList<>();
    for (Region region : byStart.tailMap(at(from).start(), true).values()) {
      if (!to.isEmpty() && RegionKey.ORDER.compare(region.start(), to) >= 0) {
        break;
      }
      found.add(region);
    }
    return found;
  }

  /** The right part keeps the number, as TiKV does it. Answers left and right. */
  synchronized List<Region> split(ByteString key) {
    Region old = at(key);
    if (old.start().equals(key)) {
      throw new IllegalArgumentException("a region begins there already: " + old);
    }
    Region left = old.withRange(++lastId, old.start(), key, old.version() + 1);
    Region right = old.withRange(old.id(), key, old.end(), old.version() + 1);
    put(left);
    put(right);
    return List.of(left, right);
  }

  /** Takes the right neighbour into the region that holds the key, with its number and leader. */
  synchronized Region mergeWithNext(ByteString key) {
    Region left = at(key);
    Region right = left.end().isEmpty() ? null : at(left.end());
    if (right == null) {
      throw new IllegalArgumentException("no region behind " + left);
    }
    byStart.remove(right.start());
    long version = Math.max(left.version(), right.version() + 1) + 1;
    return put(left.withRange(left.id(), left.start(), right.end(), version));
  }

  synchronized Region moveLeader(ByteString key, long store) {
    Region region = at(key);
    if (store != 0 && !region.stores().contains(store)) {
      throw new IllegalArgumentException("no peer on store " + store + ": " + region);
    }
    return put(region.withLeader(store));
  }

  private Region put(Region region) {
    byStart.put(region.start(), region);
    return region;
  }
}
