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
import java.util.ArrayList;
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

  private final OwnSpace space;
  private final Openings openings;
  private final Turns turns = new Turns(); // by the topic that routes lead to
  private final Recipients recipients;
  private final RoutingSettings settings;
  private final LiveView live;

  RouteRegistry(
      MemSpaces spaces,
      OwnSpace space,
      Recipients recipients,
      RoutingSettings settings,
      LiveView live) {
    this.space = space;
    this.openings = new Openings(spaces, space);
    this.recipients = recipients;
    this.settings = settings;
    this.live = live;
  }

  @Override
  public CompletionStage<RegisteredRoute> put(Principal caller, Route route, Set<String> senders) {
    return Failures.attempt(
        () -> {
          check(route, senders);
          return route.target() instanceof Target.Topic topic
              ? turns.take(OpeningRow.key(topic).name(), () -> put(caller, route, senders, 1))
              : put(caller, route, senders, 1);
        });
  }

  private CompletionStage<RegisteredRoute> put(
      Principal caller, Route route, Set<String> senders, int attempt) {
    return space
        .call(mounted -> mounted.get(RouteRow.key(route.name())))
        .thenCompose(
            found -> {
              Optional<RegisteredRoute> before = found.map(RouteRow::read);
              // who owns it is asked before the target is opened to the router
              before.ifPresent(own -> requireOwner(caller, own));
              if (before.isEmpty()) {
                requireRoom(live.current().routes().size() + 1L);
              }
              return opened(caller, route, before)
                  .thenCompose(change -> write(caller, route, senders, found, change, attempt));
            });
  }

  /** That there is the target, that the router may deliver there, and what that changes. */
  private CompletionStage<Openings.Change> opened(
      Principal caller, Route route, Optional<RegisteredRoute> before) {
    Target target = route.target();
    CompletionStage<Openings.Change> left =
        before
            .map(own -> own.route().target())
            .filter(old -> !old.equals(target))
            .map(old -> openings.close(route.name(), old))
            .orElseGet(() -> CompletableFuture.completedStage(Openings.Change.NONE));
    return left.thenCompose(
        closed -> requireTarget(caller, route.name(), target).thenApply(closed::and));
  }

  private CompletionStage<RegisteredRoute> write(
      Principal caller,
      Route route,
      Set<String> senders,
      Optional<Entry> found,
      Openings.Change change,
      int attempt) {
    Optional<RegisteredRoute> before = found.map(RouteRow::read);
    RouteRow row =
        RouteRow.of(route, before.map(RegisteredRoute::owner).orElse(caller.name()), senders);
    boolean same = found.map(Entry::text).equals(Optional.of(row.toContent().text()));
    List<Operation> operations = new ArrayList<>(change.operations());
    if (!same) {
      operations.add(
          new Operation.Put(
              RouteRow.key(route.name()),
              row.toContent(),
              OptionalLong.of(found.map(Entry::revision).orElse(0L)),
              Operation.ANY,
              false));
    }
    if (operations.isEmpty()) {
      return CompletableFuture.completedStage(before.orElseThrow());
    }
    CompletionStage<Written> written =
        Failures.recover(
            space.call(mounted -> mounted.write(operations, WriteOptions.DEFAULT)),
            failure -> {
              boolean unknown =
                  failure instanceof MemSpaceException refused && refused.code().retryable();
              return unknown // it may be there, and need its mount
                  ? CompletableFuture.failedStage(failure)
                  : openings
                      .undone(change)
                      .thenCompose(gone -> CompletableFuture.failedStage(failure));
            });
    return Failures.recover(
        written
            .thenCompose(done -> openings.done(change, done.revision()).thenApply(gone -> done))
            .thenCompose(
                done ->
                    same
                        ? CompletableFuture.completedStage(before.orElseThrow())
                        : registered(route, row, done, before.isEmpty())),
        failure ->
            failure instanceof RevisionMismatchException && attempt < ATTEMPTS_MAX
                ? put(caller, route, senders, attempt + 1)
                : CompletableFuture.failedStage(failure));
  }

  private CompletionStage<RegisteredRoute> registered(
      Route route, RouteRow row, Written written, boolean created) {
    live.written(written.revision());
    RegisteredRoute made =
        new RegisteredRoute(
            route,
            row.owner(),
            Set.copyOf(row.senders()),
            written.revision(),
            written.at(),
            created);
    return created
        ? within(route.name(), written.revision()).thenApply(there -> made)
        : CompletableFuture.completedStage(made);
  }

  private void requireRoom(long routes) {
    if (routes > settings.routesMax()) {
      throw MemSpaceException.tooLarge("routes", routes, settings.routesMax(), "routes");
    }
  }

  /**
   * Of routes that are registered at the same time none knows of the others: each counts what there
   * was with it, and the one that is too many goes again.
   */
  private CompletionStage<Void> within(String name, long revision) {
    return space
        .count(RouteRow.PREFIX, revision)
        .thenCompose(
            routes ->
                routes <= settings.routesMax()
                    ? CompletableFuture.completedStage(null)
                    : Failures.recover(
                            remove(name, revision),
                            overtaken -> CompletableFuture.completedStage(null))
                        .thenAccept(gone -> requireRoom(routes)));
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
                  remove(entry),
                  failure ->
                      failure instanceof RevisionMismatchException && attempt < ATTEMPTS_MAX
                          ? withdraw(caller, name, attempt + 1)
                          : CompletableFuture.failedStage(failure));
            });
  }

  /** Takes a route away that was just registered, if it is still that one. */
  private CompletionStage<Void> remove(String name, long revision) {
    return space
        .call(mounted -> mounted.get(RouteRow.key(name)))
        .thenCompose(
            found ->
                found.filter(entry -> entry.revision() == revision).isPresent()
                    ? remove(found.get())
                    : CompletableFuture.completedStage(null));
  }

  private CompletionStage<Void> remove(Entry entry) {
    RegisteredRoute route = RouteRow.read(entry);
    return openings
        .close(route.route().name(), route.route().target())
        .thenCompose(
            change -> {
              List<Operation> operations = new ArrayList<>(change.operations());
              operations.add(
                  new Operation.Delete(
                      entry.key(), OptionalLong.of(entry.revision()), Operation.ANY));
              return space
                  .call(mounted -> mounted.write(operations, WriteOptions.DEFAULT))
                  .thenCompose(
                      written -> {
                        live.written(written.revision());
                        return openings.done(change, written.revision());
                      });
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

  private CompletionStage<Openings.Change> requireTarget(
      Principal caller, String route, Target target) {
    if (target instanceof Target.Agent agent) {
      return recipients
          .exists(agent.id())
          .thenApply(
              there -> {
                require(there, "agent", agent.id());
                return Openings.Change.NONE;
              });
    }
    if (target instanceof Target.AgentType type) {
      require(recipients.hosts(type.type()), "agent_type", type.type());
      return CompletableFuture.completedStage(Openings.Change.NONE);
    }
    Target.Topic topic = (Target.Topic) target;
    return Failures.recover(
        openings.open(caller, route, topic),
        failure ->
            failure instanceof MemSpaceException refused
                    && refused.code() == ErrorCode.SPACE_NOT_FOUND
                ? CompletableFuture.failedStage(unknown("space", topic.space()))
                : CompletableFuture.failedStage(failure));
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
