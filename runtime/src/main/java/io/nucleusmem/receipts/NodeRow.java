package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;

/**
 * A node's incarnation in the log of receipts.
 *
 * @param address of the node
 * @param state {@link #OPEN}, {@link #CLOSED} or {@link #ENDED}
 * @param follows the incarnation whose log another node ended although it was alive, and whose
 *     lives go on in this one; 0: none
 */
record NodeRow(String address, int state, long follows) {
  /** It writes, or has died and nobody has noticed yet. */
  static final int OPEN = 0;

  /** It stopped in good order: everything that its agents did is recorded. */
  static final int CLOSED = 1;

  /** It died, or was taken for dead; another node has ended its log. */
  static final int ENDED = 2;

  /** The row of one that follows none. */
  NodeRow(String address, int state) {
    this(address, state, 0);
  }

  NodeRow at(int newState) {
    return new NodeRow(address, newState, follows);
  }

  /** {@code address(text) state(1)}, and where it follows one {@code node(8)}. */
  Bytes encode() {
    BytesWriter row = new BytesWriter(64).text(address).u8(state);
    return (follows == 0 ? row : row.i64(follows)).toBytes();
  }

  static NodeRow decode(Bytes row) {
    BytesReader in = new BytesReader(row);
    return new NodeRow(in.text(), in.u8(), in.atEnd() ? 0 : in.i64());
  }

  boolean isOpen() {
    return state == OPEN;
  }
}
