package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.ForkBase;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Retention;
import io.nucleusmem.memspace.SpaceInfo;
import io.nucleusmem.memspace.SpaceKind;
import io.nucleusmem.memspace.UpdateSpace;
import io.nucleusmem.store.Bytes;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Spaces: section 2 of the contract. */
final class SpaceRoutes {
  private final MemSpaces spaces;
  private final Callers callers;
  private final Replays replays;

  SpaceRoutes(MemSpaces spaces, Callers callers, Replays replays) {
    this.spaces = spaces;
    this.callers = callers;
    this.replays = replays;
  }

  /** Which versions a space keeps; what is absent is no limit. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record RetentionJson(Long maxAgeMs, Long maxVersions, Long maxBytes) {
    static RetentionJson of(Retention retention) {
      return new RetentionJson(
          retention.maxAge().map(Duration::toMillis).orElse(null),
          retention.maxVersions().isPresent() ? retention.maxVersions().getAsLong() : null,
          retention.maxBytes().isPresent() ? retention.maxBytes().getAsLong() : null);
    }

    Retention toRetention() {
      if (maxAgeMs != null && maxAgeMs < 1) {
        throw MemSpaceException.invalid("retention.max_age_ms", maxAgeMs, "1 or more");
      }
      if (maxVersions != null && maxVersions < 1) {
        throw MemSpaceException.invalid("retention.max_versions", maxVersions, "1 or more");
      }
      if (maxBytes != null && maxBytes < 0) {
        throw MemSpaceException.invalid("retention.max_bytes", maxBytes, "0 or more");
      }
      return new Retention(
          Optional.ofNullable(maxAgeMs).map(Duration::ofMillis),
          optional(maxVersions),
          optional(maxBytes));
    }

    private static OptionalLong optional(Long value) {
      return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }
  }

  record CreateJson(
      String name, String kind, String owner, Map<String, String> labels, RetentionJson retention) {
    CreateSpace toRequest() {
      return new CreateSpace(
          Required.text("name", name),
          SpaceKind.ofLabel(Required.text("kind", kind)),
          Optional.ofNullable(owner),
          Required.texts("labels", labels),
          retention == null ? Retention.KEEP_ALL : retention.toRetention());
    }
  }

  record PatchJson(Map<String, String> labels, RetentionJson retention, String owner) {
    UpdateSpace toUpdate() {
      return new UpdateSpace(
          Optional.ofNullable(labels).map(found -> Required.texts("labels", found)),
          Optional.ofNullable(retention).map(RetentionJson::toRetention),
          Optional.ofNullable(owner));
    }
  }

  /** Where a fork comes from. */
  record BaseJson(String space, long revision, Instant at) {
    static BaseJson of(ForkBase base) {
      return new BaseJson(base.space(), base.revision(), base.at());
    }
  }

  /**
   * A space.
   *
   * @param base only of a fork
   * @param mount id of the creator's mount, only in the answer to the creation
   * @param node that the space lives on now, only where one space is asked for
   */
  record SpaceJson(
      String name,
      String kind,
      String owner,
      Map<String, String> labels,
      String state,
      long revision,
      Instant createdAt,
      RetentionJson retention,
      @JsonInclude(JsonInclude.Include.NON_NULL) BaseJson base,
      @JsonInclude(JsonInclude.Include.NON_NULL) String mount,
      @JsonInclude(JsonInclude.Include.NON_NULL) String node) {
    static SpaceJson of(SpaceInfo space) {
      return of(space, null);
    }

    static SpaceJson of(SpaceInfo space, String mount) {
      return of(space, mount, null);
    }

    static SpaceJson of(SpaceInfo space, String mount, String node) {
      return new SpaceJson(
          space.name(),
          space.kind().label(),
          space.owner(),
          space.labels(),
          space.state().name().toLowerCase(Locale.ROOT),
          space.revision(),
          space.createdAt(),
          RetentionJson.of(space.retention()),
          space.base().map(BaseJson::of).orElse(null),
          mount,
          node);
    }
  }

  void addTo(RouteTable table) {
    table
        .add("POST", "/v1/spaces", this::create)
        .add("GET", "/v1/spaces", Set.of("label", "limit", "cursor"), this::list)
        .add("GET", "/v1/spaces/{space}", this::describe)
        .add("PATCH", "/v1/spaces/{space}", this::update)
        .add("POST", "/v1/spaces/{space}/archive", this::archive)
        .add("DELETE", "/v1/spaces/{space}", this::delete);
  }

  private CompletionStage<HttpResponse> create(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              CreateSpace request = Json.read("body", body, CreateJson.class).toRequest();
              return replays.once(
                  call,
                  body,
                  () ->
                      spaces
                          .create(call.principal(), request, call.writeOptions())
                          .thenApply(this::created));
            });
  }

  private HttpResponse created(CreatedSpace created) {
    callers.mountsChanged();
    return Answers.created(
        "/v1/spaces/" + Percent.encodePath(created.space().name()),
        SpaceJson.of(created.space(), created.mount().id()));
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return spaces
        .list(call.principal(), call.query("label"), call.limit(), call.cursor())
        .thenApply(page -> Answers.page(page, SpaceJson::of));
  }

  private CompletionStage<HttpResponse> describe(Call call) {
    return spaces
        .describe(call.principal(), call.path("space"))
        .thenCombine(
            spaces.home(call.principal(), call.path("space")),
            (space, home) -> Answers.ok(SpaceJson.of(space, null, home)));
  }

  private CompletionStage<HttpResponse> update(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              UpdateSpace change = Json.read("body", body, PatchJson.class).toUpdate();
              return replays.once(
                  call,
                  body,
                  () ->
                      spaces
                          .update(call.principal(), call.path("space"), change)
                          .thenApply(space -> Answers.ok(SpaceJson.of(space))));
            });
  }

  private CompletionStage<HttpResponse> archive(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            spaces
                .archive(call.principal(), call.path("space"))
                .thenApply(space -> Answers.ok(SpaceJson.of(space))));
  }

  private CompletionStage<HttpResponse> delete(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            spaces
                .delete(call.principal(), call.path("space"))
                .thenApply(
                    done -> {
                      callers.mountsChanged();
                      return Answers.noContent();
                    }));
  }
}
