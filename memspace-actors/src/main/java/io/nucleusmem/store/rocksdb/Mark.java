package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * What the store writes down ahead of its database, in a small file of its own.
 *
 * @param bound every timestamp handed out is below it
 * @param sequence RocksDB's sequence number up to which commits were acknowledged at the least
 */
record Mark(long bound, long sequence) {

  /**
   * The file: two slots, written in turn, so that a torn write leaves the one before, which holds
   * until the write has returned. A slot is magic, serial, bound, sequence, CRC-32C of these.
   */
  static final class File implements AutoCloseable {
    private static final long MAGIC = 0x4e4d4d41524b3031L; // "NMMARK01"
    private static final int SLOT_BYTES = 36;
    private static final int SLOT_DISTANCE = 4_096; // so that no sector holds parts of both

    private final Path path;
    private final FileChannel channel;
    private long serial;

    private File(Path path, FileChannel channel) {
      this.path = path;
      this.channel = channel;
    }

    /** Makes the file, or overwrites one left by a creation that did not finish. */
    static File create(Path path, Mark first) throws IOException {
      File file =
          new File(
              path,
              FileChannel.open(
                  path,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE,
                  StandardOpenOption.CREATE));
      file.write(first);
      file.write(first);
      return file;
    }

    static File open(Path path) throws IOException {
      return new File(
          path, FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    /**
     * The newest mark.
     *
     * @throws StoreException if both slots are damaged
     */
    Mark read() throws IOException {
      Mark newest = null;
      for (int slot = 0; slot < 2; slot++) {
        ByteBuffer bytes = ByteBuffer.allocate(SLOT_BYTES);
        channel.read(bytes, (long) slot * SLOT_DISTANCE);
        if (bytes.hasRemaining() || bytes.getInt(32) != checksum(bytes)) {
          continue;
        }
        if (bytes.getLong(0) == MAGIC && (newest == null || bytes.getLong(8) > serial)) {
          serial = bytes.getLong(8);
          newest = new Mark(bytes.getLong(16), bytes.getLong(24));
        }
      }
      if (newest == null) {
        throw new StoreException(
            "clock file [%s] is damaged in both places; restore the data directory from a backup"
                .formatted(path));
      }
      return newest;
    }

    /** Returns when the mark is on the disk. */
    void write(Mark mark) throws IOException {
      serial++;
      ByteBuffer bytes = ByteBuffer.allocate(SLOT_BYTES);
      bytes.putLong(MAGIC).putLong(serial).putLong(mark.bound()).putLong(mark.sequence());
      bytes.putInt(checksum(bytes)).flip();
      long at = (serial & 1) * SLOT_DISTANCE;
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }

    private static int checksum(ByteBuffer slot) {
      CRC32C crc = new CRC32C();
      crc.update(slot.array(), 0, 32);
      return (int) crc.getValue();
    }
  }
}
