package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Entry;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The routes at one revision of their space, ready for use. Immutable.
 *
 * @param routes by name
 * @param router for all messages, where one was set
 */
record LiveRoutes(
    long revision,
    List<RegisteredRoute> routes,
    List<HookRow> hooks,
    Optional<String> router,
    RouteMatcher matcher) {

  /** Before anything was read. */
  static final LiveRoutes NONE =
      new LiveRoutes(0, List.of(), List.of(), Optional.empty(), new NoMatcher("no routes yet"));

  /** Of the entries of the space, without a matcher. */
  static LiveRoutes of(long revision, List<Entry> entries) {
    List<RegisteredRoute> routes = new ArrayList<>();
    List<HookRow> hooks = new ArrayList<>();
    Optional<String> router = Optional.empty();
    for (Entry entry : entries) {
      String name = entry.key().name();
      if (name.startsWith(RouteRow.PREFIX)) {
        routes.add(RouteRow.read(entry));
      } else if (name.startsWith(HookRow.PREFIX)) {
        hooks.add(HookRow.read(entry));
      } else if (entry.key().equals(HookRow.ROUTER)) {
        router = HookRow.read(entry).named();
      }
    }
    routes.sort(Comparator.comparing(each -> each.route().name()));
    return new LiveRoutes(revision, routes, hooks, router, NONE.matcher());
  }

  LiveRoutes with(RouteMatcher other) {
    return new LiveRoutes(revision, routes, hooks, router, other);
  }

  /** True if stage one can be used. */
  boolean isTrained() {
    return !(matcher instanceof NoMatcher);
  }

  List<Route> plain() {
    return routes.stream().map(RegisteredRoute::route).toList();
  }

  Optional<RegisteredRoute> find(String name) {
    return routes.stream().filter(each -> each.route().name().equals(name)).findFirst();
  }
}
