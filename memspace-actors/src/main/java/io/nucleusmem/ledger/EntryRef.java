package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;

/**
 * Names an entry inside of a ledger.
 *
 * @param region one byte, 1 to 255
 * @param key the entry's name; any bytes
 */
public record EntryRef(byte region, Bytes key) {
  @Override
  public int hashCode() {
    return key.hashCode() * 31 + region;
  }
}
