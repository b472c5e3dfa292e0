package io.nucleusmem.receipts;

/**
 * One life of an agent's behavior: from its start to its crash, stop or switch of mounts.
 *
 * @param node incarnation of the node that ran it: the store's time of its start, unique
 * @param number of the life on that node, from 1
 */
public record Life(long node, long number) {
  /** True if it began later; of two nodes, the one that began later runs an agent later. */
  boolean isAfter(Life other) {
    return node == other.node ? number > other.number : node > other.node;
  }

  @Override
  public String toString() {
    return Long.toHexString(node) + "-" + number;
  }
}
