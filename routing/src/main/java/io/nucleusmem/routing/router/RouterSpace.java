package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Retention;
import io.nucleusmem.memspace.SpaceKind;
import io.nucleusmem.memspace.WriteOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** How the router comes by its spaces and mounts. */
final class RouterSpace {
  static final Principal SYSTEM = new Principal("system", true);

  /** Holder of the router's mounts and author of what it writes. */
  static final String HOLDER = "router";

  private RouterSpace() {}

  /** Makes a space of the system's own if it is not there; the router's mount of all of it. */
  static CompletionStage<MountedSpace> open(MemSpaces spaces, String name) {
    return make(spaces, name)
        .thenCompose(
            made ->
                existing(spaces, name, mount -> mount.access() == Access.READ_WRITE)
                    .thenCompose(
                        found ->
                            found.isPresent()
                                ? CompletableFuture.completedStage(found.get())
                                : spaces.mount(
                                    SYSTEM, name, MountRequest.of(HOLDER, Access.READ_WRITE))));
  }

  static CompletionStage<Void> make(MemSpaces spaces, String name) {
    CreateSpace request =
        new CreateSpace(name, SpaceKind.PRIVATE, Optional.of(HOLDER), Map.of(), Retention.KEEP_ALL);
    return spaces
        .create(SYSTEM, request, WriteOptions.DEFAULT)
        .handle(
            (created, failure) -> {
              if (failure != null
                  && !(Failures.unwrap(failure) instanceof MemSpaceException refused
                      && refused.code() == ErrorCode.SPACE_EXISTS)) {
                throw new java.util.concurrent.CompletionException(Failures.unwrap(failure));
              }
              return null;
            });
  }

  /** What the router needs to publish to a topic. */
  static MountRequest publishing(String topic) {
    return new MountRequest(
        HOLDER, Access.APPEND_ONLY, Set.of(Region.COMM), List.of(), Set.of(topic));
  }

  /** What it needs to take messages from a topic: to read, subscribe and acknowledge. */
  static MountRequest consuming(String topic) {
    return new MountRequest(
        HOLDER, Access.READ_WRITE, Set.of(Region.COMM), List.of(), Set.of(topic));
  }

  /** True for what {@link #consuming} asks for: such a mount may go with the topic's hook. */
  static boolean isConsuming(MountInfo mount, String topic) {
    return mount.access() == Access.READ_WRITE
        && mount.regions().equals(Set.of(Region.COMM))
        && mount.topics().equals(Set.of(topic));
  }

  /** The router's own mount of a space that fits, if there is one. */
  static CompletionStage<Optional<MountedSpace>> existing(
      MemSpaces spaces, String space, java.util.function.Predicate<MountInfo> fits) {
    return spaces
        .mounts(SYSTEM, space)
        .thenCompose(
            all -> {
              Optional<MountInfo> own =
                  all.stream()
                      .filter(mount -> mount.holder().equals(HOLDER))
                      .filter(fits)
                      .findFirst();
              return own.isPresent()
                  ? spaces.open(Principal.of(HOLDER), own.get().id()).thenApply(Optional::of)
                  : CompletableFuture.completedStage(Optional.empty());
            });
  }

  /** The router's mount of a topic, if there is one. */
  static CompletionStage<Optional<MountedSpace>> publisher(
      MemSpaces spaces, String space, String topic) {
    return existing(spaces, space, mount -> mount.access().mayAppend() && mount.coversTopic(topic));
  }
}
