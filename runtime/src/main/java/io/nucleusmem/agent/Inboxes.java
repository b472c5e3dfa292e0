package io.nucleusmem.agent;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Retention;
import io.nucleusmem.memspace.SpaceKind;
import io.nucleusmem.memspace.WriteOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The space of agents: a directory (one entry per agent) and an inbox (one topic per agent).
 * Sending is writing there, so every message is stored and ordered, an agent that is down misses
 * nothing, and a conversation can be read afterwards. One topic per agent, not one for all: an
 * inbox has its own order and its own reader.
 */
final class Inboxes {
  static final Principal SYSTEM = new Principal("system", true);
  private static final String OWNER = "nucleusmem"; // nobody's: mounts are made as administrator
  static final String TOPIC_PREFIX = "inbox.";
  static final String ASK = "ask-id";
  static final String ANSWER = "answer-to";

  private final MemSpaces spaces;
  private final String space;
  // one mount per sender; bounded by the principals and agents that send from this node
  private final Map<String, CompletionStage<MountedSpace>> mounts = new ConcurrentHashMap<>();

  Inboxes(MemSpaces spaces, String space) {
    this.spaces = spaces;
    this.space = space;
  }

  /** Makes the space if it is not there; the system's mount of it. */
  CompletionStage<MountedSpace> open() {
    return spaces
        .create(SYSTEM, request(), WriteOptions.DEFAULT)
        .handle((created, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof java.util.concurrent.CompletionException
                      ? failure.getCause()
                      : failure;
              boolean there =
                  cause instanceof MemSpaceException refused
                      && refused.code() == ErrorCode.SPACE_EXISTS;
              return cause == null || there
                  ? mount(SYSTEM.name(), MountRequest.of(SYSTEM.name(), Access.READ_WRITE))
                  : CompletableFuture.<MountedSpace>failedFuture(cause);
            });
  }

  /** Private: in a shared one anybody could mount everybody's inbox, and write the directory. */
  private CreateSpace request() {
    return new CreateSpace(
        space, SpaceKind.PRIVATE, Optional.of(OWNER), Map.of(), Retention.KEEP_ALL);
  }

  /** A sender's mount: it may read and write inboxes, not the directory. */
  CompletionStage<MountedSpace> mountFor(String holder) {
    CompletionStage<MountedSpace> mount =
        mounts.computeIfAbsent(
            holder,
            name ->
                mount(
                    name,
                    new MountRequest(
                        name, Access.APPEND_ONLY, Set.of(Region.COMM), List.of(), Set.of())));
    mount.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            mounts.remove(holder, mount);
          }
        });
    return mount;
  }

  /** The mount that the holder has, or a new one. */
  private CompletionStage<MountedSpace> mount(String holder, MountRequest request) {
    return spaces
        .mounts(SYSTEM, space)
        .thenCompose(
            all -> {
              var own =
                  all.stream()
                      .filter(mount -> mount.holder().equals(holder))
                      .map(MountInfo::id)
                      .findFirst();
              return own.isPresent()
                  ? spaces.open(new Principal(holder, false), own.get())
                  : spaces.mount(SYSTEM, space, request);
            });
  }

  /** A content without what ties an answer to its question, which is another each time. */
  static Content withoutCorrelation(Content content) {
    Map<String, String> metadata = new HashMap<>(content.metadata());
    metadata.keySet().removeAll(Set.of(ASK, ANSWER));
    return content.withMetadata(metadata);
  }

  static String topic(String agent) {
    return TOPIC_PREFIX + agent;
  }

  CompletionStage<Published> send(
      String sender, String agent, Content content, WriteOptions options) {
    return mountFor(sender)
        .thenCompose(
            mount -> mount.topic(topic(agent)).publish(content, Optional.of(agent), options));
  }
}
