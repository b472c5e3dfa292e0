package io.nucleusmem.memspace;

/**
 * Hears when several watchers on this node are told of the same commit, one after the other: what
 * their handlers start can then be done together. Called by many threads, and must not block.
 */
public interface Feeding {
  /** Nobody wants to know. */
  Feeding NONE =
      new Feeding() {
        @Override
        public void begins() {}

        @Override
        public void ends() {}
      };

  /** The first of them is told now. */
  void begins();

  /** All of them have been told; called once for each {@link #begins}. */
  void ends();
}
