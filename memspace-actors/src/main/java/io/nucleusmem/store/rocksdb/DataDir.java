package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.rocksdb.NativeLibraryLoader;

/**
 * The data directory, locked for one store.
 *
 * <pre>
 * store.lock   locked while a store is open
 * FORMAT       "nucleusmem-rocksdb 1"; behind it "creating" until the database is there
 * clock        {@link Mark}
 * native/      RocksDB's native library, unpacked at each start
 * db/          RocksDB's files
 * </pre>
 */
final class DataDir implements AutoCloseable {
  static final int FORMAT = 1;
  private static final String FORMAT_NAME = "nucleusmem-rocksdb";
  private static final String CREATING = " creating";

  // A second channel on a locked file would, when closed, release this process's lock (POSIX).
  private static final Set<Path> OPEN_HERE = new HashSet<>(); // guarded by itself

  private final Path dir;
  private final FileChannel lockChannel;
  private boolean fresh;

  private DataDir(Path dir, FileChannel lockChannel) {
    this.dir = dir;
    this.lockChannel = lockChannel;
  }

  /**
   * Makes the directory if it is not there, locks it and checks its format.
   *
   * @throws StoreException if it cannot be used; says why and what to do
   */
  static DataDir open(Path path) {
    Path dir;
    try {
      Files.createDirectories(path);
      dir = path.toRealPath();
    } catch (IOException e) {
      throw unusable(path, "cannot be made", e);
    }
    synchronized (OPEN_HERE) {
      if (!OPEN_HERE.add(dir)) {
        throw inUse(dir, "this process");
      }
    }
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              dir.resolve("store.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw inUse(dir, "another process");
      }
      DataDir opened = new DataDir(dir, channel);
      opened.checkFormat();
      return opened;
    } catch (IOException e) {
      release(dir, channel);
      throw unusable(dir, "cannot be read and written", e);
    } catch (RuntimeException e) {
      release(dir, channel);
      throw e;
    }
  }

  Path path() {
    return dir;
  }

  Path db() {
    return dir.resolve("db");
  }

  /** True until {@link #created}: the database may be made. */
  boolean fresh() {
    return fresh;
  }

  /** The database is there; from now on one that is missing is lost. */
  void created() throws IOException {
    writeFormat("");
    fresh = false;
  }

  Mark.File clock(Mark first) {
    try {
      return fresh
          ? Mark.File.create(dir.resolve("clock"), first)
          : Mark.File.open(dir.resolve("clock"));
    } catch (NoSuchFileException e) {
      throw new StoreException(
          "data directory [%s] has lost its file [clock], time might go back; restore it from a backup"
              .formatted(dir),
          e);
    } catch (IOException e) {
      throw unusable(dir, "cannot be read and written", e);
    }
  }

  /**
   * Loads RocksDB's native library, once per JVM.
   *
   * <p>Left alone it unpacks 17 MB under a new name in the temporary directory, where a killed JVM
   * leaves it. Here the name is the same each time, and nobody else is in this directory.
   */
  void loadNative() {
    try {
      String chosen = System.getenv("ROCKSDB_SHAREDLIB_DIR");
      Path lib = dir.resolve("native");
      if (chosen == null) {
        Files.createDirectories(lib);
      }
      NativeLibraryLoader.getInstance().loadLibrary(chosen == null ? lib.toString() : chosen);
    } catch (IOException | UnsatisfiedLinkError e) {
      throw new StoreException(
          ("RocksDB's native library cannot be loaded from [%s/native]; if the file system forbids"
                  + " execution, name another directory in ROCKSDB_SHAREDLIB_DIR")
              .formatted(dir),
          e);
    }
  }

  @Override
  public void close() {
    release(dir, lockChannel);
  }

  private void checkFormat() throws IOException {
    Path file = dir.resolve("FORMAT");
    if (!Files.exists(file)) {
      if (Files.exists(db().resolve("CURRENT"))) {
        throw new StoreException(
            "[%s] holds a database that this store did not write; choose another directory"
                .formatted(dir));
      }
      fresh = true;
      writeFormat(CREATING);
      return;
    }
    String found = Files.readString(file).strip();
    String[] words = found.split(" ");
    if (words.length < 2 || !words[0].equals(FORMAT_NAME) || !words[1].matches("[0-9]{1,9}")) {
      throw new StoreException(
          "[%s] holds [%s]; expected [%s %d]: the data directory is damaged or not a store's"
              .formatted(file, found, FORMAT_NAME, FORMAT));
    }
    if (Integer.parseInt(words[1]) > FORMAT) {
      throw new StoreException(
          "data directory [%s] has format [%s], this version knows up to %d; use a newer NucleusMem"
              .formatted(dir, words[1], FORMAT));
    }
    fresh = found.endsWith(CREATING);
  }

  private void writeFormat(String state) throws IOException {
    Path next = dir.resolve("FORMAT.new");
    Files.writeString(
        next,
        "%s %d%s\n".formatted(FORMAT_NAME, FORMAT, state),
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE,
        StandardOpenOption.SYNC);
    Files.move(
        next,
        dir.resolve("FORMAT"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    syncDirectory();
  }

  private void syncDirectory() {
    try (FileChannel channel = FileChannel.open(dir, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Windows cannot open a directory, and needs no such flush.
      if (java.io.File.separatorChar == '/') {
        throw unusable(dir, "cannot be synced", e);
      }
    }
  }

  private static void release(Path dir, FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      throw unusable(dir, "cannot be unlocked", e);
    } finally {
      synchronized (OPEN_HERE) {
        OPEN_HERE.remove(dir);
      }
    }
  }

  private static StoreException inUse(Path dir, String by) {
    return new StoreException(
        ("data directory [%s] is in use by %s; stop that, or give this one another"
                + " nucleusmem.store.rocksdb.dir")
            .formatted(dir, by));
  }

  static StoreException unusable(Path dir, String what, Exception cause) {
    return new StoreException(
        ("data directory [%s] %s (%s); check that it is a directory, its owner and rights, and the"
                + " space left on its disk")
            .formatted(dir, what, cause),
        cause);
  }
}
