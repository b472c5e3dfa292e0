package io.nucleusmem.memspace;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Version;
import java.util.Optional;

/**
 * Versions that watchers of this node are about to pull. A version never changes, so nothing has to
 * be invalidated.
 */
final class VersionCache {
  private static final int OVERHEAD_BYTES = 200;
  private static final int VALUE_BYTES_MAX = 64 << 10; // larger ones would push out too many others

  private record Key(LedgerId id, EntryRef entry, long revision) {
    @Override
    public int hashCode() {
      return (id.bytes().hashCode() * 31 + entry.hashCode()) * 31 + Long.hashCode(revision);
    }
  }

  private final Cache<Key, Version> versions;

  VersionCache(long bytesMax) {
    versions =
        Caffeine.newBuilder()
            .maximumWeight(bytesMax)
            .weigher((Key key, Version version) -> OVERHEAD_BYTES + version.body().length())
            .executor(Runnable::run)
            .build();
  }

  void committed(LedgerId id, LogRow row) {
    for (int i = 0; i < row.records().size(); i++) {
      long revision = row.first() + i;
      for (Change change : row.records().get(i).changes()) {
        if (change instanceof Change.OfEntry entry && entry.size() <= VALUE_BYTES_MAX) {
          Version version =
              Version.of(entry, revision, row.timestamp(), row.records().get(i).author());
          versions.put(new Key(id, entry.entry(), revision), version);
        }
      }
    }
  }

  /** Forgets everything: something of it was erased, which is rare. */
  void clear() {
    versions.invalidateAll();
  }

  Optional<Version> find(LedgerId id, EntryRef entry, long revision) {
    return Optional.ofNullable(versions.getIfPresent(new Key(id, entry, revision)));
  }
}
