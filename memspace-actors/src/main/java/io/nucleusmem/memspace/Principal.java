package io.nucleusmem.memspace;

/**
 * Who calls.
 *
 * @param name 1 to 128 characters; for an agent the principal it acts for
 * @param admin whether it may do what owners may do, everywhere; its mounts show that
 */
public record Principal(String name, boolean admin) {
  /** Everybody, where no tokens are configured. */
  public static final Principal LOCAL = new Principal("local", true);

  /** An ordinary principal. */
  public static Principal of(String name) {
    return new Principal(name, false);
  }
}
