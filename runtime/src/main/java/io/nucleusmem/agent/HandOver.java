package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import java.util.List;

/**
 * A conversation that an agent hands to another one.
 *
 * @param to the other agent's id
 * @param conversation 1 to 128 characters
 * @param mounts what the other one needs for it, and this one has itself
 * @param note the message by which the other one is told
 */
public record HandOver(String to, String conversation, List<AgentMount> mounts, Content note) {
  public HandOver {
    mounts = List.copyOf(mounts);
  }
}
