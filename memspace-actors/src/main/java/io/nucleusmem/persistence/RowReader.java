package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** Reads the fields that {@link RowWriter} wrote, in the same order. */
final class RowReader {
  private final ByteBuffer data;

  private RowReader(Bytes value) {
    data = ByteBuffer.wrap(value.shared());
  }

  /**
   * Decodes a row whose first byte is its format.
   *
   * @throws StoreException if the format is another one or the row is too short: damaged, or
   *     written by a newer release
   */
  static <T> T decode(Row row, int format, Function<RowReader, T> decoder) {
    try {
      var reader = new RowReader(row.value());
      int found = reader.int8();
      if (found != format) {
        throw new StoreException(
            "row [%s] has format [%d]; this release reads format %d"
                .formatted(row.key(), found, format));
      }
      return decoder.apply(reader);
    } catch (BufferUnderflowException | NegativeArraySizeException e) {
      throw new StoreException("row [%s] ends early".formatted(row.key()), e);
    }
  }

  int int8() {
    return data.get() & 0xFF;
  }

  int int32() {
    return data.getInt();
  }

  long int64() {
    return data.getLong();
  }

  String text() {
    return new String(blob(), StandardCharsets.UTF_8);
  }

  byte[] blob() {
    int length = data.getInt();
    if (length > data.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] value = new byte[length];
    data.get(value);
    return value;
  }

  Serialized serialized() {
    return new Serialized(int32(), text(), Bytes.wrap(blob()));
  }
}
