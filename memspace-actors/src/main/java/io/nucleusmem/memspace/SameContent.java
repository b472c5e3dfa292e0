package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Version;
import java.util.Optional;

/**
 * Whether two versions hold the same: value, content type and metadata; both absent is the same.
 */
final class SameContent {
  private SameContent() {}

  static boolean of(Version one, Version two) {
    return one.body().equals(two.body())
        || ContentCodec.decode(one.body()).equals(ContentCodec.decode(two.body()));
  }

  static boolean of(Optional<Version> one, Optional<Version> two) {
    Optional<Version> first = one.filter(version -> !version.deleted());
    Optional<Version> second = two.filter(version -> !version.deleted());
    return first.isPresent() == second.isPresent()
        && (first.isEmpty() || of(first.get(), second.get()));
  }
}
