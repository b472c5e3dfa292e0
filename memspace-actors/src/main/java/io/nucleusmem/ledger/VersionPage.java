package io.nucleusmem.ledger;

import io.nucleusmem.store.KeyRange;
import java.util.List;
import java.util.Optional;

/**
 * A page of versions.
 *
 * @param versions in the order of the scan, deletions among them
 * @param rest what is left; empty at the end
 */
public record VersionPage(List<Version> versions, Optional<KeyRange> rest) {
  public VersionPage {
    versions = List.copyOf(versions);
  }
}
