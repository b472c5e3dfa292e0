package io.nucleusmem.store.memory;

/** What a store does with a batch that carries the timestamp of one it has seen. */
public enum Resends {
  /**
   * The identical batch, committed before, is answered with success. One of other content breaks
   * the rule that a batch is sealed when it is sent: it fails with {@code IllegalStateException}
   * and is kept among {@link MemoryStore#violations()}.
   */
  CHECKED,

  /**
   * As RocksDB answers: no memory of batches. The conditions are checked again, so a batch that was
   * committed is refused by its own row. Other content is a violation as above.
   */
  REFUSED_BY_OWN_ROW,

  /**
   * As TiKV answers: a batch whose timestamp has been committed succeeds whatever it holds, and
   * nothing of it is written. For tests that must find a writer who relies on more.
   */
  SWALLOWED
}
