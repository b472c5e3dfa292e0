package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;

/**
 * A node's incarnation in the log of receipts.
 *
 * @param address of the node
 * @param state {@link #OPEN}, {@link #CLOSED} or {@link #ENDED}
 */
record NodeRow(String address, int state) {
  /** It writes, or has died and nobody has noticed yet. */
  static final int OPEN = 0;

  /** It stopped in good order: everything that its agents did is recorded. */
  static final int CLOSED = 1;

  /** It died; another node has ended its log. */
  static final int ENDED = 2;

  Bytes encode() {
    return new BytesWriter(64).text(address).u8(state).toBytes();
  }

  static NodeRow decode(Bytes row) {
    BytesReader in = new BytesReader(row);
    return new NodeRow(in.text(), in.u8());
  }

  boolean isOpen() {
    return state == OPEN;
  }
}
