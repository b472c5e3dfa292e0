package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import io.nucleusmem.routing.Recipients;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Routes;
import io.nucleusmem.routing.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The routes as entries of their space. */
final class RouteRegistry implements Routes {
  private static final int ATTEMPTS_MAX = 5; // of a change that others overtake
  private static final int DESCRIPTION_CHARS_MAX = 4_000;
  private static final int EXAMPLE_CHARS_MAX = 2_000;
  private static final int LABELS_MAX = 64;
  private static final int WORD_CHARS_MAX = 128;
  private static final int SENDERS_MAX = 1_000;

  private final MemSpaces spaces;
  private final OwnSpace space;
  private final Recipients recipients;
  private final RoutingSettings settings;
  private final LiveView live;

  RouteRegistry(
      MemSpaces spaces,
      OwnSpace space,
      Recipients recipients,
      RoutingSettings settings,
      LiveView live) {
    this.spaces = spaces;
    this.space = space;
    this.recipients = recipients;
    this.settings = settings;
    this.live = live;
  }

  @Override
  public CompletionStage<RegisteredRoute> put(Principal caller, Route route, Set<String> senders) {
    return Failures.attempt(
        () -> {
          check(route, senders);
          // who owns it is asked before the target is opened to the router
          return space
              .call(mounted -> mounted.get(RouteRow.key(route.name())))
              .thenCompose(
                  found -> {
                    found.map(RouteRow::read).ifPresent(own -> requireOwner(caller, own));
                    return requireTarget(caller, route.target());
                  })
              .thenCompose(there -> put(caller, route, senders, 1));
        });
  }

  private CompletionStage<RegisteredRoute> put(
      Principal caller, Route route, Set<String> senders, int attempt) {
    return space
        .call(mounted -> mounted.get(RouteRow.key(route.name())))
        .thenCompose(
            found -> {
              Optional<RegisteredRoute> before = found.map(RouteRow::read);
              before.ifPresent(own -> requireOwner(caller, own));
              RouteRow row =
                  RouteRow.of(
                      route, before.map(RegisteredRoute::owner).orElse(caller.name()), senders);
              if (found.map(Entry::text).equals(Optional.of(row.toContent().text()))) {
                return CompletableFuture.completedStage(before.orElseThrow());
              }
              if (before.isEmpty() && live.current().routes().size() >= settings.routesMax()) {
                throw MemSpaceException.tooLarge(
                    "routes", live.current().routes().size() + 1L, settings.routesMax(), "routes");
              }
              return Failures.recover(
                  space
                      .call(
                          mounted ->
                              mounted.putIfRevision(
                                  RouteRow.key(route.name()),
                                  row.toContent(),
                                  found.map(Entry::revision).orElse(0L)))
                      .thenApply(written -> registered(route, row, written, before.isEmpty())),
                  failure ->
                      failure instanceof RevisionMismatchException && attempt < ATTEMPTS_MAX
                          ? put(caller, route, senders, attempt + 1)
                          : CompletableFuture.failedStage(failure));
            });
  }

  private RegisteredRoute registered(Route route, RouteRow row, Written written, boolean created) {
    live.written(written.revision());
    return new RegisteredRoute(
        route, row.owner(), Set.copyOf(row.senders()), written.revision(), written.at(), created);
  }

  @Override
  public CompletionStage<RegisteredRoute> get(String name, ReadAt at) {
    return Failures.attempt(
        () -> {
          checkName(name);
          return space
              .call(mounted -> mounted.get(RouteRow.key(name), at))
              .thenApply(found -> RouteRow.read(found.orElseThrow(() -> notFound(name))));
        });
  }

  @Override
  public CompletionStage<Paged<RegisteredRoute>> list(
      ReadAt at, int limit, Optional<String> cursor) {
    ScanRequest first = ScanRequest.of(Region.MEMORY, RouteRow.PREFIX).at(at).limit(limit);
    return space
        .call(mounted -> mounted.scan(cursor.map(first::after).orElse(first)))
        .thenApply(
            page ->
                new Paged<>(
                    page.items().stream().map(RouteRow::read).toList(),
                    page.revision(),
                    page.next()));
  }

  @Override
  public CompletionStage<Void> withdraw(Principal caller, String name) {
    return Failures.attempt(
        () -> {
          checkName(name);
          return withdraw(caller, name, 1);
        });
  }

  private CompletionStage<Void> withdraw(Principal caller, String name, int attempt) {
    return space
        .call(mounted -> mounted.get(RouteRow.key(name)))
        .thenCompose(
            found -> {
              Entry entry = found.orElseThrow(() -> notFound(name));
              requireOwner(caller, RouteRow.read(entry));
              return Failures.recover(
                  space
                      .call(
                          mounted ->
                              mounted.write(
                                  List.of(
                                      new Operation.Delete(
                                          entry.key(),
                                          OptionalLong.of(entry.revision()),
                                          Operation.ANY)),
                                  WriteOptions.DEFAULT))
                      .thenAccept(written -> live.written(written.revision())),
                  failure ->
                      failure instanceof RevisionMismatchException && attempt < ATTEMPTS_MAX
                          ? withdraw(caller, name, attempt + 1)
                          : CompletableFuture.failedStage(failure));
            });
  }

  // ---- rules ----

  private static void requireOwner(Principal caller, RegisteredRoute route) {
    if (!caller.admin() && !caller.name().equals(route.owner())) {
      throw new MemSpaceException(
          ErrorCode.NOT_OWNER,
          "route [%s] is [%s]'s; he and administrators may change it, [%s] is neither"
              .formatted(route.route().name(), route.owner(), caller.name()));
    }
  }

  /** That there is the target, and that the router may deliver there. */
  private CompletionStage<Void> requireTarget(Principal caller, Target target) {
    if (target instanceof Target.Agent agent) {
      return recipients.exists(agent.id()).thenAccept(there -> require(there, "agent", agent.id()));
    }
    if (target instanceof Target.AgentType type) {
      require(recipients.hosts(type.type()), "agent_type", type.type());
      return CompletableFuture.completedStage(null);
    }
    Target.Topic topic = (Target.Topic) target;
    return Failures.recover(
        RouterSpace.publisher(spaces, topic.space(), topic.topic())
            .thenCompose(
                own ->
                    caller.admin() && own.isPresent()
                        ? CompletableFuture.completedStage(null)
                        : open(caller, topic, own.isPresent())),
        failure ->
            failure instanceof MemSpaceException refused
                    && refused.code() == ErrorCode.SPACE_NOT_FOUND
                ? CompletableFuture.failedStage(unknown("space", topic.space()))
                : CompletableFuture.failedStage(failure));
  }

  /** Opens a topic to the router, with the caller's own right to do so. */
  private CompletionStage<Void> open(Principal caller, Target.Topic topic, boolean opened) {
    return spaces
        .mount(caller, topic.space(), RouterSpace.publishing(topic.topic()))
        .thenCompose(
            mounted ->
                opened
                    ? spaces.unmount(RouterSpace.SYSTEM, mounted.mount().id())
                    : CompletableFuture.<Void>completedStage(null));
  }

  private static void require(boolean there, String field, String value) {
    if (!there) {
      throw unknown(field, value);
    }
  }

  private static MemSpaceException unknown(String field, String value) {
    return new MemSpaceException(
        ErrorCode.UNKNOWN_TARGET,
        "the route's target cannot be: there is no %s [%s]"
            .formatted(field.replace('_', ' '), value),
        Map.of("field", "target." + field, "value", value));
  }

  private static MemSpaceException notFound(String name) {
    return new MemSpaceException(
        ErrorCode.ROUTE_NOT_FOUND, "there is no route [%s]".formatted(name));
  }

  private static void checkName(String name) {
    if (!Names.isName(name)) {
      throw MemSpaceException.invalid("name", name, Names.ACCEPTED);
    }
  }

  private void check(Route route, Set<String> senders) {
    checkName(route.name());
    if (route.target() instanceof Target.Topic topic) {
      if (!Names.isName(topic.space())) {
        throw MemSpaceException.invalid("target.space", topic.space(), Names.ACCEPTED);
      }
      if (!Names.isName(topic.topic())) {
        throw MemSpaceException.invalid("target.topic", topic.topic(), Names.ACCEPTED);
      }
    }
    chars("description", route.description(), DESCRIPTION_CHARS_MAX);
    if (route.examples().size() > settings.examplesMax()) {
      throw MemSpaceException.tooLarge(
          "examples", route.examples().size(), settings.examplesMax(), "examples");
    }
    for (int i = 0; i < route.examples().size(); i++) {
      String example = route.examples().get(i);
      if (example.isBlank()) {
        throw MemSpaceException.invalid("examples[" + i + "]", example, "a text that is not blank");
      }
      chars("examples[" + i + "]", example, EXAMPLE_CHARS_MAX);
    }
    if (route.description().isBlank() && route.examples().isEmpty()) {
      throw MemSpaceException.invalid(
          "description", route.description(), "a description, or at least one example");
    }
    if (route.labels().size() > LABELS_MAX) {
      throw MemSpaceException.tooLarge("labels", route.labels().size(), LABELS_MAX, "labels");
    }
    route
        .labels()
        .forEach(
            (name, value) -> {
              word("labels", name);
              chars("labels." + name, value, WORD_CHARS_MAX);
            });
    if (senders.size() > SENDERS_MAX) {
      throw MemSpaceException.tooLarge("senders", senders.size(), SENDERS_MAX, "senders");
    }
    senders.forEach(sender -> word("senders", sender));
  }

  private static void word(String field, String word) {
    if (word.isBlank() || word.length() > WORD_CHARS_MAX) {
      throw MemSpaceException.invalid(field, word, "1 to " + WORD_CHARS_MAX + " characters");
    }
  }

  private static void chars(String field, String text, int max) {
    if (text.length() > max) {
      throw MemSpaceException.tooLarge(field, text.length(), max, "characters");
    }
  }
}
