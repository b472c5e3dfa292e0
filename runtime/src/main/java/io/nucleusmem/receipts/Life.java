package io.nucleusmem.receipts;

/**
 * One life of an agent's behavior: from its start to its crash, stop or switch of mounts.
 *
 * @param node incarnation of the node's log when the life began: the store's time of its begin,
 *     unique. The life may go on in a later log of its node ({@link NodeRow#follows})
 * @param number of the life on that node, from 1
 */
public record Life(long node, long number) {
  @Override
  public String toString() {
    return Long.toHexString(node) + "-" + number;
  }
}
