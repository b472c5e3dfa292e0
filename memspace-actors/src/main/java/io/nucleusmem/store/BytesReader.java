package io.nucleusmem.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads what {@link BytesWriter} wrote. Input that ends early fails with {@link
 * IllegalArgumentException}.
 */
public final class BytesReader {
  private final byte[] data;
  private int at;

  public BytesReader(Bytes bytes) {
    this(bytes, 0);
  }

  public BytesReader(Bytes bytes, int offset) {
    data = bytes.shared();
    at = offset;
  }

  public int u8() {
    need(1);
    return data[at++] & 0xFF;
  }

  public long i64() {
    need(8);
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value = value << 8 | data[at++] & 0xFF;
    }
    return value;
  }

  public long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int b = u8();
      value |= (long) (b & 0x7F) << shift;
      if (b < 0x80) {
        return value;
      }
    }
    throw new IllegalArgumentException("varint at [%d] has more than 10 bytes".formatted(at));
  }

  /** A varint that counts something that is in memory. */
  public int count() {
    long value = varint();
    if (value < 0 || value > data.length) {
      throw new IllegalArgumentException(
          "length [%d] at [%d] exceeds the [%d] bytes there are".formatted(value, at, data.length));
    }
    return (int) value;
  }

  public Bytes bytes() {
    return raw(count());
  }

  public Bytes raw(int length) {
    need(length);
    at += length;
    return Bytes.wrap(Arrays.copyOfRange(data, at - length, at));
  }

  /** All that is left. */
  public Bytes rest() {
    return raw(data.length - at);
  }

  public String text() {
    int length = count();
    need(length);
    at += length;
    return new String(data, at - length, length, StandardCharsets.UTF_8);
  }

  /** Bytes written by {@link BytesWriter#escaped}. */
  public Bytes unescaped() {
    BytesWriter out = new BytesWriter(data.length - at);
    while (true) {
      int b = u8();
      if (b != 0) {
        out.u8(b);
      } else if (u8() == 0xFF) {
        out.u8(0);
      } else {
        return out.toBytes();
      }
    }
  }

  public int position() {
    return at;
  }

  public boolean atEnd() {
    return at == data.length;
  }

  private void need(int bytes) {
    if (bytes < 0 || data.length - at < bytes) {
      throw new IllegalArgumentException(
          "needs [%d] bytes at [%d] of [%d]".formatted(bytes, at, data.length));
    }
  }
}
