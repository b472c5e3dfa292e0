package io.nucleusmem.store;

/**
 * The keys in {@code [from, to)}.
 *
 * @param from first key that belongs to the range; {@link Bytes#EMPTY} for the smallest
 * @param to first key behind the range; {@link Bytes#EMPTY} for no bound
 */
public record KeyRange(Bytes from, Bytes to) {

  /** Every key. */
  public static final KeyRange ALL = new KeyRange(Bytes.EMPTY, Bytes.EMPTY);

  /** All keys that begin with the prefix. */
  public static KeyRange prefix(Bytes prefix) {
    return new KeyRange(prefix, after(prefix));
  }

  /**
   * The smallest key behind all those that begin with the prefix; EMPTY if there is none (all FF).
   */
  public static Bytes after(Bytes prefix) {
    byte[] bytes = prefix.toArray();
    for (int i = bytes.length - 1; i >= 0; i--) {
      if (bytes[i] != (byte) 0xFF) {
        bytes[i]++;
        return Bytes.wrap(java.util.Arrays.copyOf(bytes, i + 1));
      }
    }
    return Bytes.EMPTY;
  }

  /** True if no key lies in the range. */
  public boolean isEmpty() {
    return !to.isEmpty() && from.compareTo(to) >= 0;
  }

  /** True if the key lies in the range. */
  public boolean contains(Bytes key) {
    return key.compareTo(from) >= 0 && (to.isEmpty() || key.compareTo(to) < 0);
  }

  /** The same range, begun later. */
  public KeyRange startingAt(Bytes newFrom) {
    return new KeyRange(newFrom, to);
  }

  /** The same range, ended earlier. */
  public KeyRange endingAt(Bytes newTo) {
    return new KeyRange(from, newTo);
  }
}
