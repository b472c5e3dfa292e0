package io.nucleusmem.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Builds a byte sequence: fixed-width numbers big endian, others as unsigned LEB128 varints, texts
 * as UTF-8 behind their length.
 */
public final class BytesWriter {
  private byte[] data;
  private int size;

  public BytesWriter(int expected) {
    data = new byte[Math.max(16, expected)];
  }

  public BytesWriter u8(int value) {
    room(1);
    data[size++] = (byte) value;
    return this;
  }

  public BytesWriter i64(long value) {
    room(8);
    for (int shift = 56; shift >= 0; shift -= 8) {
      data[size++] = (byte) (value >>> shift);
    }
    return this;
  }

  public BytesWriter varint(long value) {
    room(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      data[size++] = (byte) (rest & 0x7F | 0x80);
      rest >>>= 7;
    }
    data[size++] = (byte) rest;
    return this;
  }

  /** The bytes alone, without a length. */
  public BytesWriter raw(Bytes bytes) {
    return raw(bytes.shared());
  }

  /** The bytes alone, without a length. */
  public BytesWriter raw(byte[] bytes) {
    room(bytes.length);
    System.arraycopy(bytes, 0, data, size, bytes.length);
    size += bytes.length;
    return this;
  }

  /** The bytes behind their length. */
  public BytesWriter bytes(Bytes bytes) {
    return varint(bytes.length()).raw(bytes);
  }

  /** The text in UTF-8 behind its length in bytes. */
  public BytesWriter text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return varint(utf8.length).raw(utf8);
  }

  /**
   * The bytes so that they end by themselves and keep their order: 00 becomes 00 FF, and 00 01 ends
   * them.
   *
   * <p>FoundationDB's tuple layer ends with 00 alone, which is enough there because a type code
   * follows that is never FF. Here an inverted revision may follow, and that begins with FF.
   */
  public BytesWriter escaped(Bytes bytes) {
    return escapedOpen(bytes).u8(0).u8(1);
  }

  /** The same without the end: what every sequence that begins with these bytes begins with. */
  public BytesWriter escapedOpen(Bytes bytes) {
    room(bytes.length() + 2);
    for (byte b : bytes.shared()) {
      u8(b);
      if (b == 0) {
        u8(0xFF);
      }
    }
    return this;
  }

  public int size() {
    return size;
  }

  public Bytes toBytes() {
    return Bytes.wrap(size == data.length ? data : Arrays.copyOf(data, size));
  }

  private void room(int more) {
    if (data.length - size < more) {
      data = Arrays.copyOf(data, Math.max(data.length * 2, size + more));
    }
  }
}
