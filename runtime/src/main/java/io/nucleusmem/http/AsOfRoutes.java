package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.SpaceAt;
import io.nucleusmem.routing.Routes;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Everything at one instant: of section 9 of the contract. */
final class AsOfRoutes {
  private final MemSpaces spaces;
  private final Agents agents;
  private final Routes routes;

  AsOfRoutes(MemSpaces spaces, Agents agents, Routes routes) {
    this.spaces = spaces;
    this.agents = agents;
    this.routes = routes;
  }

  void addTo(RouteTable table) {
    Set<String> pages = Set.of("limit", "cursor");
    table
        .add("GET", "/v1/as-of/{instant}/spaces", pages, this::spaces)
        .add("GET", "/v1/as-of/{instant}/mounts", pages, this::mounts)
        .add("GET", "/v1/as-of/{instant}/agents", pages, this::agents)
        .add("GET", "/v1/as-of/{instant}/routes", pages, this::routes)
        .add(
            "GET",
            "/v1/as-of/{instant}/entries",
            Set.of("space", "region", "prefix", "order", "values", "limit", "cursor"),
            this::entries);
  }

  private static Instant at(Call call) {
    return Call.instant("as_of", call.path("instant"));
  }

  private CompletionStage<HttpResponse> spaces(Call call) {
    return spaces
        .cuts()
        .spaces(call.principal(), at(call), call.limit(), call.cursor())
        .thenApply(page -> Answers.page(page, AsOfJson.SpaceAtJson::of));
  }

  private CompletionStage<HttpResponse> mounts(Call call) {
    return spaces
        .cuts()
        .mounts(call.principal(), at(call), call.limit(), call.cursor())
        .thenApply(page -> Answers.page(page, AsOfJson::mount));
  }

  private CompletionStage<HttpResponse> agents(Call call) {
    return agents
        .at(call.principal(), at(call), call.limit(), call.cursor())
        .thenApply(page -> Answers.page(page, AsOfJson.AgentAtJson::of));
  }

  private CompletionStage<HttpResponse> routes(Call call) {
    return routes
        .list(ReadAt.instant(at(call)), call.limit(), call.cursor())
        .thenApply(page -> Answers.page(page, RoutingRoutes.RouteJson::of));
  }

  private CompletionStage<HttpResponse> entries(Call call) {
    String space =
        call.query("space")
            .orElseThrow(() -> MemSpaceException.invalid("space", "absent", "a space's name"));
    boolean values = call.flag("values");
    ScanRequest request =
        new ScanRequest(
            call.region(),
            call.query("prefix").orElse(""),
            ReadAt.instant(at(call)),
            EntryRoutes.order(call),
            values,
            call.limit(),
            call.cursor());
    return spaces
        .cuts()
        .space(call.principal(), space, at(call))
        .thenCompose(
            then -> {
              if (then.isPresent() && then.get().content() == SpaceAt.Content.SPACE_DELETED) {
                throw new MemSpaceException(
                    ErrorCode.SPACE_DELETED,
                    "space [%s] of [%s] has been deleted: nothing of what it held is left"
                        .formatted(space, at(call)),
                    Map.of("space", space));
              }
              return open(call, space);
            })
        .thenCompose(
            mounted -> {
              if (!mounted.mount().space().equals(space)) {
                throw MemSpaceException.invalid(
                    Headers.MOUNT, mounted.mount().id(), "a mount of [" + space + "]");
              }
              return mounted.scan(request);
            })
        .thenApply(page -> Answers.pageAt(page, entry -> EntryRoutes.EntryJson.of(entry, values)));
  }

  private CompletionStage<MountedSpace> open(Call call, String space) {
    Optional<String> mount = call.header(Headers.MOUNT);
    return mount.isPresent()
        ? spaces.open(call.principal(), mount.get())
        : spaces.openOnly(call.principal(), space);
  }
}
