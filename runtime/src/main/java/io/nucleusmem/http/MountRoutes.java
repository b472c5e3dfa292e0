package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.store.Bytes;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** Mounts: section 7 of the contract. */
final class MountRoutes {
  private final MemSpaces spaces;
  private final Callers callers;
  private final Replays replays;

  MountRoutes(MemSpaces spaces, Callers callers, Replays replays) {
    this.spaces = spaces;
    this.callers = callers;
    this.replays = replays;
  }

  /** What a mount is to cover; empty and absent limits mean no limit. */
  record RequestJson(
      String holder,
      String access,
      List<String> regions,
      List<String> prefixes,
      List<String> topics,
      String quarantined) {
    MountRequest toRequest(String holderByDefault) {
      MountRequest request =
          request(holder == null ? holderByDefault : holder, access, regions, prefixes, topics);
      if (quarantined == null || quarantined.equals("hide")) {
        return request;
      }
      if (quarantined.equals("show")) {
        return request.withQuarantined();
      }
      throw MemSpaceException.invalid("quarantined", quarantined, "hide or show");
    }
  }

  static MountRequest request(
      String holder,
      String access,
      List<String> regions,
      List<String> prefixes,
      List<String> topics) {
    return new MountRequest(
        holder,
        Access.ofLabel(Required.text("access", access)),
        Required.listOrNone("regions", regions).stream()
            .map(Region::ofLabel)
            .collect(Collectors.toSet()),
        Required.listOrNone("prefixes", prefixes),
        Set.copyOf(Required.listOrNone("topics", topics)));
  }

  /**
   * A mount.
   *
   * @param asAdmin true if whoever granted it could do so only as an administrator
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record MountJson(
      String mount,
      String space,
      String holder,
      String access,
      List<String> regions,
      List<String> prefixes,
      List<String> topics,
      String grantedBy,
      boolean asAdmin) {
    static MountJson of(MountInfo mount) {
      return new MountJson(
          mount.id(),
          mount.space(),
          mount.holder(),
          mount.access().label(),
          mount.regions().stream().sorted().map(Region::label).toList(),
          mount.prefixes(),
          mount.topics().stream().sorted().toList(),
          mount.grantedBy(),
          mount.asAdmin());
    }
  }

  void addTo(RouteTable table) {
    table
        .add("POST", "/v1/spaces/{space}/mounts", this::create)
        .add("GET", "/v1/spaces/{space}/mounts", this::list)
        .add("GET", "/v1/mounts/{mount}", this::describe)
        .add("DELETE", "/v1/mounts/{mount}", this::revoke);
  }

  private CompletionStage<HttpResponse> create(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              MountRequest request =
                  Json.read("body", body, RequestJson.class).toRequest(call.principal().name());
              return replays.once(
                  call,
                  body,
                  () ->
                      spaces
                          .mount(call.principal(), call.path("space"), request, call.writeOptions())
                          .thenApply(mounted -> created(mounted.mount())));
            });
  }

  private HttpResponse created(MountInfo mount) {
    callers.mountsChanged();
    return Answers.created("/v1/mounts/" + Percent.encodePath(mount.id()), MountJson.of(mount));
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return spaces
        .mounts(call.principal(), call.path("space"))
        .thenApply(
            all ->
                Answers.ok(new Answers.PageJson(all.stream().map(MountJson::of).toList(), null)));
  }

  private CompletionStage<HttpResponse> describe(Call call) {
    return spaces
        .describeMount(call.principal(), call.path("mount"))
        .thenApply(mount -> Answers.ok(MountJson.of(mount)));
  }

  private CompletionStage<HttpResponse> revoke(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            spaces
                .unmount(call.principal(), call.path("mount"))
                .thenApply(
                    done -> {
                      callers.mountsChanged();
                      return Answers.noContent();
                    }));
  }
}
