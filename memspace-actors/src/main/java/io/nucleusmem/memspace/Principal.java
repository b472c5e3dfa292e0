package io.nucleusmem.memspace;

import java.util.Set;

/**
 * Who calls.
 *
 * @param name 1 to 128 characters; for an agent the principal it acts for
 * @param admin whether it may do what owners may do, everywhere; its mounts show that
 */
public record Principal(String name, boolean admin) {
  /** Names by which the node's own parts hold mounts and own spaces: no caller may have one. */
  public static final Set<String> RESERVED = Set.of("system", "nucleusmem", "router");

  /** Everybody, where no tokens are configured. */
  public static final Principal LOCAL = new Principal("local", true);

  /** An ordinary principal. */
  public static Principal of(String name) {
    return new Principal(name, false);
  }
}
