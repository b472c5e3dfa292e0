package io.nucleusmem.memspace;

/**
 * Where an entry lies in its space.
 *
 * @param name 1 to 1,024 bytes of UTF-8 (the limit is configurable); may contain any character,
 *     {@code /} by habit
 */
public record EntryKey(Region region, String name) implements Comparable<EntryKey> {

  /** A key of the region {@code memory}. */
  public static EntryKey of(String name) {
    return new EntryKey(Region.MEMORY, name);
  }

  /** A key of the region {@code task}. */
  public static EntryKey task(String name) {
    return new EntryKey(Region.TASK, name);
  }

  @Override
  public int compareTo(EntryKey other) {
    int byRegion = region.compareTo(other.region);
    return byRegion != 0 ? byRegion : name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return region.label() + ":" + name;
  }
}
