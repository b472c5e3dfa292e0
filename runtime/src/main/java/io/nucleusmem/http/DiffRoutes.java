package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.Diff;
import io.nucleusmem.memspace.DiffRequest;
import io.nucleusmem.memspace.Difference;
import io.nucleusmem.memspace.ForkBase;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MergePolicy;
import io.nucleusmem.memspace.MergeRequest;
import io.nucleusmem.memspace.Merged;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Differences and merges: of section 9 of the contract. */
final class DiffRoutes {
  private final MemSpaces spaces;
  private final Callers callers;
  private final Replays replays;

  DiffRoutes(MemSpaces spaces, Callers callers, Replays replays) {
    this.spaces = spaces;
    this.callers = callers;
    this.replays = replays;
  }

  /**
   * A key that differs.
   *
   * @param before null where it was added
   * @param after null where it was removed
   */
  record DifferenceJson(
      String key,
      String region,
      String change,
      EntryRoutes.EntryJson before,
      EntryRoutes.EntryJson after,
      List<String> authors) {
    static DifferenceJson of(Difference one, boolean values) {
      return new DifferenceJson(
          one.key().name(),
          one.key().region().label(),
          one.kind().label(),
          one.before().map(entry -> EntryRoutes.EntryJson.of(entry, values)).orElse(null),
          one.after().map(entry -> EntryRoutes.EntryJson.of(entry, values)).orElse(null),
          one.authors());
    }
  }

  /** A page, and which two states it compares. */
  record DiffJson(List<DifferenceJson> items, Diff.State before, Diff.State after, String next) {}

  /**
   * A merge.
   *
   * @param resolve by key: ours or theirs
   * @param baseMount the caller's mount of the base; may be absent where there is only one
   */
  record MergeJson(String policy, Map<String, String> resolve, String baseMount) {
    Map<String, MergePolicy> resolved() {
      Map<String, MergePolicy> all = new HashMap<>();
      Required.texts("resolve", resolve)
          .forEach((key, side) -> all.put(key, side("resolve." + key, side)));
      return all;
    }

    private static MergePolicy side(String field, String label) {
      MergePolicy side = MergePolicy.ofLabel(field, label);
      if (side == MergePolicy.FAIL) { // a key that is to fail is one that is not resolved
        throw MemSpaceException.invalid(field, label, "ours or theirs");
      }
      return side;
    }
  }

  /**
   * What was merged.
   *
   * @param merged keys
   * @param atomic false where it took several commits
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record MergedJson(int merged, long revision, int parts, boolean atomic) {
    static MergedJson of(Merged merged) {
      return new MergedJson(merged.keys(), merged.revision(), merged.parts(), merged.parts() <= 1);
    }
  }

  void addTo(RouteTable table) {
    table
        .add(
            "GET",
            "/v1/spaces/{space}/diff",
            Set.of(
                "with",
                "with_mount",
                "from",
                "until",
                "region",
                "prefix",
                "values",
                "limit",
                "cursor"),
            this::diff)
        .add("POST", "/v1/spaces/{space}/merge", this::merge);
  }

  private CompletionStage<HttpResponse> diff(Call call) {
    Optional<String> with = call.query("with");
    if (with.isPresent() == call.query("from").isPresent()) {
      throw MemSpaceException.invalid(
          "with", with.orElse("absent"), "another space, or from and until of this one");
    }
    if (with.isPresent() && call.query("until").isPresent()) {
      throw MemSpaceException.invalid("until", call.query("until").get(), "none beside with");
    }
    if (with.isEmpty() && call.query("with_mount").isPresent()) {
      throw MemSpaceException.invalid(
          "with_mount", call.query("with_mount").get(), "none without with");
    }
    boolean values = call.query("values").isEmpty() || call.flag("values");
    return callers
        .withMount(
            call,
            mounted ->
                with.isPresent()
                    ? other(call, with.get())
                        .thenCompose(
                            other -> diff(call, mounted, ReadAt.LATEST, other, ReadAt.LATEST))
                    : diff(
                        call,
                        mounted,
                        Call.past("from", call.query("from").get()),
                        mounted,
                        call.query("until")
                            .map(text -> Call.past("until", text))
                            .orElse(ReadAt.LATEST)))
        .thenApply(
            diff ->
                Answers.ok(
                    new DiffJson(
                        diff.items().stream().map(one -> DifferenceJson.of(one, values)).toList(),
                        diff.before(),
                        diff.after(),
                        diff.next().orElse(null))));
  }

  /** The space to compare with: by the mount that is named, or the caller's only one. */
  private CompletionStage<MountedSpace> other(Call call, String space) {
    Optional<String> mount = call.query("with_mount");
    return mount.isEmpty()
        ? spaces.openOnly(call.principal(), space)
        : spaces
            .open(call.principal(), mount.get())
            .thenApply(
                opened -> {
                  if (!opened.mount().space().equals(space)) {
                    throw MemSpaceException.invalid(
                        "with_mount",
                        mount.get(),
                        "a mount of [%s]; it is one of [%s]"
                            .formatted(space, opened.mount().space()));
                  }
                  return opened;
                });
  }

  private CompletionStage<Diff> diff(
      Call call, MountedSpace before, ReadAt beforeAt, MountedSpace after, ReadAt afterAt) {
    return spaces
        .forks()
        .diff(
            new DiffRequest(
                before,
                beforeAt,
                after,
                afterAt,
                call.query("region").map(Region::ofLabel),
                call.query("prefix").orElse(""),
                call.limit(),
                call.cursor()));
  }

  private CompletionStage<HttpResponse> merge(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              MergeJson json = Json.read("body", body, MergeJson.class);
              MergePolicy policy =
                  json.policy() == null
                      ? MergePolicy.FAIL
                      : MergePolicy.ofLabel("policy", json.policy());
              Map<String, MergePolicy> resolve = json.resolved();
              return replays.once(
                  call,
                  body,
                  () ->
                      callers
                          .withMount(
                              call,
                              fork ->
                                  base(call, json)
                                      .thenCompose(
                                          base ->
                                              spaces
                                                  .forks()
                                                  .merge(
                                                      new MergeRequest(
                                                          fork,
                                                          base,
                                                          policy,
                                                          resolve,
                                                          call.idempotencyKey()))))
                          .thenApply(merged -> Answers.ok(MergedJson.of(merged))));
            });
  }

  private CompletionStage<MountedSpace> base(Call call, MergeJson json) {
    if (json.baseMount() != null) {
      return spaces.open(call.principal(), json.baseMount());
    }
    String fork = call.path("space");
    return spaces
        .describe(call.principal(), fork)
        .thenCompose(
            space ->
                spaces.openOnly(
                    call.principal(),
                    space
                        .base()
                        .map(ForkBase::space)
                        .orElseThrow(
                            () -> MemSpaceException.invalid("space", fork, "a fork to merge"))));
  }
}
