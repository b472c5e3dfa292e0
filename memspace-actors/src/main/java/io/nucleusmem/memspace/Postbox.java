package io.nucleusmem.memspace;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Publishes in the name of others, who hold no mount of the space and can read nothing of it. For
 * the node's own parts: they have checked who it is that sends, and where he may.
 */
public final class Postbox {
  private final MountedSpaceClient space;

  private Postbox(MountedSpaceClient space) {
    this.space = space;
  }

  /**
   * The postbox of a space.
   *
   * @param mount the node's own mount, by which is published; the postbox ends with it
   * @throws IllegalArgumentException if it is not one of this node's client, or can't publish
   */
  public static Postbox of(MountedSpace mount) {
    if (mount instanceof MountedSpaceClient client && mount.mount().access().mayAppend()) {
      return new Postbox(client);
    }
    throw new IllegalArgumentException(
        "a postbox takes a mount of the node's own that publishes; this is [%s]"
            .formatted(mount.mount()));
  }

  /**
   * Publishes a message.
   *
   * @param author who is told to have written it; 1 to 128 characters
   * @param to the agent it is for; empty: everybody
   * @param options a request id is the author's: the same one of another author is another request
   */
  public CompletionStage<Published> publish(
      String author, String topic, Content content, Optional<String> to, WriteOptions options) {
    try {
      Limits.word("author", author);
      return ((MountedTopicClient) space.topic(topic)).publish(author, content, to, options);
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }
}
