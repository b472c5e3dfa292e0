package io.nucleusmem.memspace;

import java.util.OptionalLong;

/**
 * One line of a batch. All lines of a batch are decided together, get one revision, and name
 * different keys.
 *
 * <p>{@code ifRevision}: the revision the key must be at; 0 means that it must be absent; empty
 * means no condition. {@code claim}: the token of the claim held on the key; {@code claimDone} ends
 * that claim in the same commit.
 */
public sealed interface Operation {
  /** No condition. */
  OptionalLong ANY = OptionalLong.empty();

  /** The condition that the key is absent. */
  OptionalLong ABSENT = OptionalLong.of(0);

  /** The key, or for {@link Append} its prefix. */
  EntryKey key();

  /** The revision that the key must be at. */
  default OptionalLong ifRevision() {
    return ANY;
  }

  /** The claim under which the key is written. */
  default OptionalLong claim() {
    return ANY;
  }

  /** Writes a new version. */
  record Put(
      EntryKey key, Content content, OptionalLong ifRevision, OptionalLong claim, boolean claimDone)
      implements Operation {
    public Put(EntryKey key, Content content) {
      this(key, content, ANY, ANY, false);
    }
  }

  /**
   * Writes a deletion; ends a claim on the key. Refused with {@link ErrorCode#ENTRY_NOT_FOUND}
   * where nothing is.
   */
  record Delete(EntryKey key, OptionalLong ifRevision, OptionalLong claim) implements Operation {
    public Delete(EntryKey key) {
      this(key, ANY, ANY);
    }
  }

  /**
   * Writes a new entry whose key is the given one as a prefix, then the revision in 20 digits; the
   * second append of a batch with the same prefix adds {@code .1}, and so on.
   */
  record Append(EntryKey key, Content content) implements Operation {}

  /**
   * Adds to a whole number kept as decimal text; absent counts as 0. Decided at the owner, so
   * nobody retries.
   */
  record Add(EntryKey key, long amount, OptionalLong claim) implements Operation {
    public Add(EntryKey key, long amount) {
      this(key, amount, ANY);
    }
  }

  /** Applies a JSON merge patch (RFC 7396); absent counts as null. Decided at the owner. */
  record Merge(EntryKey key, String patch, OptionalLong ifRevision, OptionalLong claim)
      implements Operation {
    public Merge(EntryKey key, String patch) {
      this(key, patch, ANY, ANY);
    }
  }

  /** Writes nothing; the batch is refused unless the key is at the revision (0: absent). */
  record Check(EntryKey key, OptionalLong ifRevision) implements Operation {
    public Check(EntryKey key, long revision) {
      this(key, OptionalLong.of(revision));
    }
  }
}
