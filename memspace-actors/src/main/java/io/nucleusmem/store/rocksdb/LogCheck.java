package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/**
 * Tells a torn end of RocksDB's log from damage in its middle, which its recovery does not.
 *
 * <p>We write one group at a time and wait until it is on the disk. So what was not synced is one
 * write, the last: behind a record that does not check, none can begin another. One that does shows
 * that the broken one had been acknowledged.
 *
 * <p>A log is made of blocks of 32 KiB; a record does not cross their ends. It has a masked CRC-32C
 * of type and payload (4 bytes), the payload's length (2) and type: 1 a whole write, 2 to 4 the
 * first, a middle and the last part of one (all little endian). Only this check knows the format:
 * it looks at logs that RocksDB of the pinned version wrote with the options in {@link Database}.
 *
 * <p>Each log is looked at alone: an old one that was torn may still lie beside the next for a
 * moment. Not found: damage to the very last write, which looks like a torn one.
 */
final class LogCheck {
  private static final int BLOCK = 32 * 1_024;
  private static final int HEADER = 7;
  private static final int WHOLE = 1;
  private static final int FIRST = 2;
  private static final int LAST = 4;
  private static final int MASK_DELTA = 0xa282ead8;

  private LogCheck() {}

  /**
   * Looks at every log of a database that is not open.
   *
   * @throws StoreException if one is damaged in its middle
   */
  static void check(Path db) throws IOException {
    if (!Files.isDirectory(db)) {
      return;
    }
    try (DirectoryStream<Path> logs = Files.newDirectoryStream(db, "*.log")) {
      for (Path log : logs) {
        OptionalLong damage = damage(log);
        if (damage.isPresent()) {
          throw new StoreException(
              ("log [%s] is damaged at byte [%d], before commits that were acknowledged; restore the"
                      + " data directory from a backup")
                  .formatted(log, damage.getAsLong()));
        }
      }
    }
  }

  /** Where the first record is that does not check though a later write begins behind it. */
  private static OptionalLong damage(Path log) throws IOException {
    OptionalLong broken = OptionalLong.empty();
    try (FileChannel channel = FileChannel.open(log, StandardOpenOption.READ)) {
      ByteBuffer block = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
      for (long start = 0; start < channel.size(); start += BLOCK) {
        read(channel, block, start);
        if (broken.isEmpty()) {
          int end = endOfRecords(block);
          if (end < 0) {
            continue;
          }
          broken = OptionalLong.of(start + end);
          if (beginsWrite(block, end + 1)) { // anywhere: the length may be what is broken
            return broken;
          }
        } else if (beginsWrite(block, 0)) {
          return broken;
        }
      }
    }
    return OptionalLong.empty();
  }

  private static void read(FileChannel channel, ByteBuffer block, long from) throws IOException {
    block.clear();
    while (block.hasRemaining() && channel.read(block, from + block.position()) > 0) {
      // until the block is full or the file ends
    }
    block.flip();
  }

  /** Where the chain of records breaks; -1 if it reaches the end of the block. */
  private static int endOfRecords(ByteBuffer block) {
    int at = 0;
    while (block.limit() - at >= HEADER) {
      if (!checks(block, at)) {
        return at;
      }
      at += HEADER + length(block, at);
    }
    return block.limit() == BLOCK || at == block.limit() ? -1 : at;
  }

  /** True if from some place on a record is whole that begins a write. */
  private static boolean beginsWrite(ByteBuffer block, int from) {
    for (int at = from; block.limit() - at >= HEADER; at++) {
      int type = block.get(at + 6);
      if ((type == WHOLE || type == FIRST) && checks(block, at)) {
        return true;
      }
    }
    return false;
  }

  private static boolean checks(ByteBuffer block, int at) {
    int type = block.get(at + 6);
    int length = length(block, at);
    if (type < WHOLE || type > LAST || at + HEADER + length > block.limit()) {
      return false;
    }
    CRC32C crc = new CRC32C();
    crc.update(block.array(), at + 6, 1 + length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA == block.getInt(at);
  }

  private static int length(ByteBuffer block, int at) {
    return block.getShort(at + 4) & 0xFFFF;
  }
}
