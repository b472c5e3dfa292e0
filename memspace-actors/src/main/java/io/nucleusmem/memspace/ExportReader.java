package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the blocks in a file's bytes as they come, and checks each. Holds one block. Not
 * thread-safe.
 */
final class ExportReader {
  /** A block whose checksum is right. */
  record Block(char kind, Bytes payload, long at, long number, int length) {}

  private byte[] held = new byte[64 << 10];
  private int start;
  private int end;
  private long at; // place in the file of what is held
  private long number;
  private boolean magicSeen;

  /** Takes bytes; then {@link #next} gives the blocks that have become whole. */
  void add(byte[] bytes) {
    if (end + bytes.length > held.length) {
      int size = end - start;
      byte[] larger =
          size + bytes.length > held.length / 2
              ? new byte[Math.max(held.length * 2, size + bytes.length)]
              : held;
      System.arraycopy(held, start, larger, 0, size);
      held = larger;
      start = 0;
      end = size;
    }
    System.arraycopy(bytes, 0, held, end, bytes.length);
    end += bytes.length;
  }

  /** The next whole block; empty until more bytes come. */
  Optional<Block> next() {
    if (!magicSeen && !magic()) {
      return Optional.empty();
    }
    if (end - start < ExportFormat.HEAD_BYTES) {
      return Optional.empty();
    }
    int length = ExportFormat.getInt(held, start + 1);
    if (length < 0 || length > ExportFormat.BLOCK_BYTES_MAX) {
      throw damaged(at, number, "a block of [%d] bytes".formatted(length & 0xFFFFFFFFL));
    }
    int whole = ExportFormat.HEAD_BYTES + length + ExportFormat.CRC_BYTES;
    if (end - start < whole) {
      return Optional.empty();
    }
    byte[] block = new byte[whole];
    System.arraycopy(held, start, block, 0, whole);
    int checked = ExportFormat.HEAD_BYTES + length;
    if (ExportFormat.crc(block, checked) != ExportFormat.getInt(block, checked)) {
      throw damaged(at, number, "a block whose checksum is wrong");
    }
    Block found =
        new Block(
            (char) (block[0] & 0xFF),
            Bytes.wrap(block).slice(ExportFormat.HEAD_BYTES, checked),
            at,
            number++,
            whole);
    start += whole;
    at += whole;
    return Optional.of(found);
  }

  private boolean magic() {
    int length = ExportFormat.MAGIC.length();
    if (end - start < length) {
      return false;
    }
    byte[] found = java.util.Arrays.copyOfRange(held, start, start + length);
    if (!Bytes.wrap(found).equals(ExportFormat.MAGIC)) {
      throw damaged(0, 0, "no export of a space: it does not begin with [NMSPACE1]");
    }
    magicSeen = true;
    start += length;
    at += length;
    return true;
  }

  /** Where the bytes that came end. */
  long position() {
    return at + (end - start);
  }

  long blocks() {
    return number;
  }

  static MemSpaceException damaged(long at, long block, String found) {
    return new MemSpaceException(
        ErrorCode.DAMAGED_FILE,
        "the file has %s at byte [%d], block [%d]; nothing was imported"
            .formatted(found, at, block),
        Map.of("byte", at, "block", block));
  }
}
