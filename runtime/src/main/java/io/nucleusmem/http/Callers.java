package io.nucleusmem.http;

import akka.http.javadsl.model.HttpRequest;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import java.security.MessageDigest;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Who calls, and by which mount. Opened mounts are kept, so that a request does not pay for an
 * open; whether one is revoked is decided by the mount itself, on each use.
 */
final class Callers {
  private static final String BEARER = "Bearer ";

  // refusals after which a kept mount is looked up anew: it was revoked, or its space made again
  private static final Set<ErrorCode> STALE =
      EnumSet.of(
          ErrorCode.MOUNT_REVOKED,
          ErrorCode.MOUNT_NOT_FOUND,
          ErrorCode.MOUNT_REQUIRED,
          ErrorCode.SPACE_NOT_FOUND);

  private record Secret(byte[] digest, Principal principal) {}

  /** What the mount of a request is found by; one of the two is there. */
  private record MountKey(Principal principal, String mount, String space) {}

  private final MemSpaces spaces;
  private final List<Secret> secrets;
  private final Shared<MountKey, MountedSpace> byId;
  private final Shared<MountKey, MountedSpace> onlyOnes;

  Callers(MemSpaces spaces, HttpSettings settings) {
    this.spaces = spaces;
    this.secrets =
        settings.tokens().stream()
            .map(token -> new Secret(Digests.sha256(token.token()), token.principal()))
            .toList();
    this.byId = new Shared<>(Caffeine.newBuilder().maximumSize(settings.mountsCachedMax()).build());
    this.onlyOnes =
        new Shared<>(
            Caffeine.newBuilder()
                .maximumSize(settings.mountsCachedMax())
                .expireAfterWrite(settings.mountCacheTtl())
                .build());
  }

  /** The principal of a request's token; without configured tokens everybody is {@code local}. */
  Principal authenticate(HttpRequest request) {
    if (secrets.isEmpty()) {
      return Principal.LOCAL;
    }
    String header =
        request
            .getHeader(Headers.AUTHORIZATION)
            .map(found -> found.value())
            .orElseThrow(() -> unauthenticated("there is no Authorization header"));
    if (!header.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      throw unauthenticated("the Authorization header has another scheme");
    }
    byte[] asked = Digests.sha256(header.substring(BEARER.length()).trim());
    Principal found = null;
    for (Secret secret : secrets) { // all of them, so that the time tells nothing
      if (MessageDigest.isEqual(asked, secret.digest())) {
        found = secret.principal();
      }
    }
    if (found == null) {
      throw unauthenticated("the token is not known");
    }
    return found;
  }

  /** Refuses who is no administrator. */
  static void requireAdmin(Call call) {
    if (!call.principal().admin()) {
      throw new MemSpaceException(
          ErrorCode.FORBIDDEN,
          "[%s] is no administrator; this call is for tokens of role admin"
              .formatted(call.principal().name()));
    }
  }

  /** Does something through the mount of a request on the space of its path. */
  <T> CompletionStage<T> withMount(Call call, Function<MountedSpace, CompletionStage<T>> use) {
    return withMount(call, call.path("space"), use);
  }

  /** The same for a space that the body names. */
  <T> CompletionStage<T> withMount(
      Call call, String space, Function<MountedSpace, CompletionStage<T>> use) {
    Optional<String> id = call.header(Headers.MOUNT);
    MountKey key = new MountKey(call.principal(), id.orElse(null), id.isPresent() ? null : space);
    CompletableFuture<MountedSpace> kept = cacheOf(key).getIfPresent(key);
    if (kept == null) {
      return open(key, space).thenCompose(use);
    }
    return kept.thenCompose(mounted -> use.apply(ofSpace(mounted, space)))
        .exceptionallyCompose(
            failure ->
                Problem.unwrap(failure) instanceof MemSpaceException refusal
                        && STALE.contains(refusal.code())
                    ? again(key, kept, space, use, refusal)
                    : CompletableFuture.failedStage(failure));
  }

  /** Forgets which mount is a caller's only one; the set of mounts has changed here. */
  void mountsChanged() {
    onlyOnes.clear();
  }

  private <T> CompletionStage<T> again(
      MountKey key,
      CompletableFuture<MountedSpace> kept,
      String space,
      Function<MountedSpace, CompletionStage<T>> use,
      MemSpaceException refusal) {
    cacheOf(key).remove(key, kept);
    if (key.mount() != null && refusal.code() == ErrorCode.MOUNT_REVOKED) {
      return CompletableFuture.failedStage(refusal); // a mount that is revoked stays so
    }
    return open(key, space).thenCompose(use);
  }

  private CompletionStage<MountedSpace> open(MountKey key, String space) {
    return cacheOf(key)
        .get(
            key,
            () ->
                key.mount() != null
                    ? spaces.open(key.principal(), key.mount())
                    : spaces.openOnly(key.principal(), space))
        .thenApply(mounted -> ofSpace(mounted, space));
  }

  private Shared<MountKey, MountedSpace> cacheOf(MountKey key) {
    return key.mount() != null ? byId : onlyOnes;
  }

  private static MountedSpace ofSpace(MountedSpace mounted, String space) {
    if (!mounted.mount().space().equals(space)) {
      throw new MemSpaceException(
          ErrorCode.MOUNT_REQUIRED,
          "mount [%s] is not of space [%s]; send a mount of it as %s"
              .formatted(mounted.mount().id(), space, Headers.MOUNT));
    }
    return mounted;
  }

  private static MemSpaceException unauthenticated(String found) {
    return new MemSpaceException(
        ErrorCode.UNAUTHENTICATED, found + "; send Authorization: Bearer TOKEN");
  }
}
