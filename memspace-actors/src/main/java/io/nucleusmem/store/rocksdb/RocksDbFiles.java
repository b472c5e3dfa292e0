package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.rocksdb.NativeLibraryLoader;

/** A data directory: made, locked, with the native library beside the data. */
final class RocksDbFiles implements AutoCloseable {
  private final Path dir;
  private final FileChannel lockFile;
  private final FileLock lock;

  private RocksDbFiles(Path dir, FileChannel lockFile, FileLock lock) {
    this.dir = dir;
    this.lockFile = lockFile;
    this.lock = lock;
  }

  static RocksDbFiles open(Path dir) {
    FileChannel channel = null;
    try {
      Files.createDirectories(dir);
      channel =
          FileChannel.open(
              dir.resolve("nucleusmem.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return new RocksDbFiles(dir, channel, lock);
      }
    } catch (OverlappingFileLockException e) {
      // locked by this very process: refused below like any other holder
    } catch (IOException e) {
      throw new StoreException(
          "data directory [%s] can't be used: %s. It must be a directory that this process may write"
              .formatted(dir, e),
          e);
    }
    closeQuietly(channel);
    throw new StoreException(
        "data directory [%s] is in use by another node; stop that one, or choose another directory"
            .formatted(dir));
  }

  Path data() {
    return dir.resolve("rocksdb");
  }

  /**
   * Unpacks the native library here: in a temporary directory, each killed JVM would leave 17 MB
   * behind.
   */
  void loadLibrary() {
    try {
      Path nativeDir = Files.createDirectories(dir.resolve("native"));
      NativeLibraryLoader.getInstance().loadLibrary(nativeDir.toString());
    } catch (IOException e) {
      throw new StoreException(
          "RocksDB's native library can't be unpacked below [%s]: %s".formatted(dir, e), e);
    }
  }

  long freeBytes() {
    return dir.toFile().getUsableSpace();
  }

  @Override
  public void close() {
    try {
      lock.release();
    } catch (IOException e) {
      // the channel's end releases it too
    }
    closeQuietly(lockFile);
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // nothing was written through it
    }
  }
}
