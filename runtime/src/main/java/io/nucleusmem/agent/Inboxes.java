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
import io.nucleusmem.memspace.Postbox;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Retention;
import io.nucleusmem.memspace.SpaceKind;
import io.nucleusmem.memspace.WriteOptions;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/**
 * The space of agents: a directory (one entry per agent) and an inbox (one topic per agent).
 * Sending is writing there, so every message is stored and ordered, an agent that is down misses
 * nothing, and a conversation can be read afterwards. One topic per agent, not one for all: an
 * inbox has its own order and its own reader.
 *
 * <p>Who sends has no mount there: the node publishes for him, under his name, so that nobody reads
 * an inbox for having written to one. The agent has a mount of its own inbox, from its first start
 * until it is stopped.
 */
final class Inboxes {
  static final Principal SYSTEM = new Principal("system", true);
  static final String DEAD = ".dead"; // behind a topic's name: its dead letters
  static final String ASK = "ask-id";
  static final String ANSWER = "answer-to";

  private static final String OWNER = "nucleusmem"; // nobody's: mounts are made as administrator
  private static final String TOPIC_PREFIX = "inbox.";
  private static final Set<ErrorCode> GONE =
      EnumSet.of(ErrorCode.MOUNT_NOT_FOUND, ErrorCode.MOUNT_REVOKED, ErrorCode.SPACE_NOT_FOUND);

  private final MemSpaces spaces;
  private final MountedSpace space;
  private final Postbox postbox;

  private Inboxes(MemSpaces spaces, MountedSpace space) {
    this.spaces = spaces;
    this.space = space;
    this.postbox = Postbox.of(space);
  }

  /** Opens the space, and makes it if it is not there. */
  static CompletionStage<Inboxes> open(MemSpaces spaces, String name) {
    return spaces
        .create(SYSTEM, request(name), WriteOptions.DEFAULT)
        .handle((created, failure) -> failure == null ? null : unwrap(failure))
        .thenCompose(
            failure ->
                failure == null || isRefused(failure, EnumSet.of(ErrorCode.SPACE_EXISTS))
                    ? revokeSenders(spaces, name)
                    : CompletableFuture.<Void>failedFuture(failure))
        .thenCompose(
            done ->
                mount(
                    spaces,
                    name,
                    MountRequest.of(SYSTEM.name(), Access.READ_WRITE),
                    own -> own.access() == Access.READ_WRITE))
        .thenApply(space -> new Inboxes(spaces, space));
  }

  /** Private: in a shared one anybody could mount everybody's inbox, and write the directory. */
  private static CreateSpace request(String name) {
    return new CreateSpace(
        name, SpaceKind.PRIVATE, Optional.of(OWNER), Map.of(), Retention.KEEP_ALL);
  }

  /** Nodes once gave each sender a mount by which all inboxes could be read. */
  private static CompletionStage<Void> revokeSenders(MemSpaces spaces, String name) {
    return revoke(
        spaces,
        name,
        mount ->
            mount.grantedBy().equals(SYSTEM.name())
                && !mount.holder().equals(SYSTEM.name())
                && mount.topics().isEmpty());
  }

  private static CompletionStage<Void> revoke(
      MemSpaces spaces, String name, Predicate<MountInfo> which) {
    return spaces
        .mounts(SYSTEM, name)
        .thenCompose(
            all -> {
              CompletionStage<Void> done = CompletableFuture.completedFuture(null);
              for (MountInfo mount : all.stream().filter(which).toList()) {
                done =
                    done.thenCompose(before -> spaces.unmount(SYSTEM, mount.id()))
                        .exceptionallyCompose(
                            failure ->
                                isRefused(unwrap(failure), GONE)
                                    ? CompletableFuture.completedStage(null)
                                    : CompletableFuture.failedStage(failure));
              }
              return done;
            });
  }

  /** The mount that the holder has and that fits, or a new one. */
  private static CompletionStage<MountedSpace> mount(
      MemSpaces spaces, String name, MountRequest request, Predicate<MountInfo> fits) {
    return spaces
        .mounts(SYSTEM, name)
        .thenCompose(
            all -> {
              var own =
                  all.stream()
                      .filter(mount -> mount.holder().equals(request.holder()))
                      .filter(fits)
                      .map(MountInfo::id)
                      .findFirst();
              return own.isPresent()
                  ? spaces.open(Principal.of(request.holder()), own.get())
                  : spaces.mount(SYSTEM, name, request);
            });
  }

  private static boolean isRefused(Throwable failure, Set<ErrorCode> codes) {
    return failure instanceof MemSpaceException refused && codes.contains(refused.code());
  }

  private static Throwable unwrap(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /** The system's mount of the whole space. */
  MountedSpace space() {
    return space;
  }

  // ---- an agent's own ----

  /** The agent's mount: its inbox and its dead letters, and nothing else of the space. */
  CompletionStage<MountedSpace> inboxOf(String agent) {
    MountRequest request =
        new MountRequest(
            AgentSpec.holder(agent),
            Access.APPEND_ONLY,
            Set.of(Region.COMM),
            List.of(),
            Set.of(topic(agent), topic(agent) + DEAD));
    return mount(
        spaces,
        space.mount().space(),
        request,
        own -> own.access() == request.access() && own.topics().equals(request.topics()));
  }

  /** Ends the agent's mount. What is in its inbox stays. */
  CompletionStage<Void> close(String agent) {
    return revoke(
        spaces,
        space.mount().space(),
        mount -> mount.holder().equals(AgentSpec.holder(agent)) && !mount.topics().isEmpty());
  }

  // ---- sending ----

  /** Publishes to an agent's inbox what a sender writes. */
  CompletionStage<Published> send(
      String sender, String agent, Content content, WriteOptions options) {
    return postbox.publish(sender, topic(agent), content, Optional.of(agent), options);
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
}
