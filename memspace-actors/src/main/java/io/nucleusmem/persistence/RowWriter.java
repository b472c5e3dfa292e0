package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Appends the fields of a row's value to a growing array. Texts and blobs carry 4 bytes length. */
final class RowWriter {
  private byte[] data;
  private int size;

  RowWriter(int expectedBytes) {
    data = new byte[Math.max(64, expectedBytes)];
  }

  RowWriter int8(int value) {
    room(1);
    data[size++] = (byte) value;
    return this;
  }

  RowWriter int32(int value) {
    room(Integer.BYTES);
    ByteBuffer.wrap(data).putInt(size, value);
    size += Integer.BYTES;
    return this;
  }

  RowWriter int64(long value) {
    room(Long.BYTES);
    ByteBuffer.wrap(data).putLong(size, value);
    size += Long.BYTES;
    return this;
  }

  RowWriter text(String value) {
    return blob(value.getBytes(StandardCharsets.UTF_8));
  }

  RowWriter blob(byte[] value) {
    int32(value.length);
    room(value.length);
    System.arraycopy(value, 0, data, size, value.length);
    size += value.length;
    return this;
  }

  RowWriter serialized(Serialized value) {
    return int32(value.serializerId()).text(value.manifest()).blob(value.bytes().shared());
  }

  Bytes toBytes() {
    return Bytes.wrap(data.length == size ? data : Arrays.copyOf(data, size));
  }

  private void room(int more) {
    int needed = Math.addExact(size, more);
    if (needed > data.length) {
      data = Arrays.copyOf(data, (int) Math.min(Integer.MAX_VALUE - 8L, needed + needed / 2L));
    }
  }
}
