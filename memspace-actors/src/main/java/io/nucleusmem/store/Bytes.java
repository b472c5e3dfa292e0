package io.nucleusmem.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * An immutable sequence of bytes, ordered as unsigned bytes from the left; a prefix sorts before
 * what it begins.
 *
 * <p>Records hold their bytes in this, since a {@code byte[]} component compares by identity.
 */
public final class Bytes implements Comparable<Bytes> {
  /** The empty sequence: the smallest of all. */
  public static final Bytes EMPTY = new Bytes(new byte[0]);

  private static final int SHOWN_MAX = 48; // bytes that toString prints before it abbreviates

  private final byte[] data;
  private int hash; // as in String: 0 is "not computed yet"; a race computes the same value twice

  private Bytes(byte[] data) {
    this.data = data;
  }

  /** Takes the array as it is; the caller must not change it afterwards. */
  public static Bytes wrap(byte[] data) {
    return data.length == 0 ? EMPTY : new Bytes(data);
  }

  /** Copies the array. */
  public static Bytes copyOf(byte[] data) {
    return wrap(data.clone());
  }

  /** The UTF-8 form of a text. */
  public static Bytes utf8(String text) {
    return wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Number of bytes. */
  public int length() {
    return data.length;
  }

  /** True if there is no byte. */
  public boolean isEmpty() {
    return data.length == 0;
  }

  /** The byte at a place, signed as Java's bytes are. */
  public byte at(int index) {
    return data[index];
  }

  /** A copy that the caller may change. */
  public byte[] toArray() {
    return data.clone();
  }

  /** The array itself, for handing to a client library without a copy; must not be changed. */
  public byte[] shared() {
    return data;
  }

  /** The bytes read as UTF-8; malformed input becomes U+FFFD. */
  public String utf8() {
    return new String(data, StandardCharsets.UTF_8);
  }

  /** These bytes followed by others. */
  public Bytes concat(Bytes tail) {
    byte[] all = Arrays.copyOf(data, data.length + tail.data.length);
    System.arraycopy(tail.data, 0, all, data.length, tail.data.length);
    return wrap(all);
  }

  /** The bytes in [from, to). */
  public Bytes slice(int from, int to) {
    return wrap(Arrays.copyOfRange(data, from, to));
  }

  /** True if these bytes begin with the prefix. */
  public boolean startsWith(Bytes prefix) {
    return data.length >= prefix.data.length
        && Arrays.equals(data, 0, prefix.data.length, prefix.data, 0, prefix.data.length);
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(data, other.data);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes that && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    if (hash == 0) {
      hash = Arrays.hashCode(data);
    }
    return hash;
  }

  /** Hexadecimal, abbreviated after 48 bytes. */
  @Override
  public String toString() {
    String hex = HexFormat.of().formatHex(data, 0, Math.min(data.length, SHOWN_MAX));
    return data.length <= SHOWN_MAX ? hex : hex + "..(" + data.length + " bytes)";
  }
}
