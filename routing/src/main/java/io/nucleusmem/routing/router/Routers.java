package io.nucleusmem.routing.router;

import io.nucleusmem.routing.Router;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The routers that users plugged in, by name. */
final class Routers {
  static final String STANDARD = "standard";
  private static final int NAMES_MAX = 1_000;

  private final Map<String, Router> byName = new ConcurrentHashMap<>();

  void define(String name, Router router) {
    if (name.isBlank() || name.equals(STANDARD)) {
      throw new IllegalArgumentException(
          "router is named [%s]; accepted: any name but [%s]".formatted(name, STANDARD));
    }
    byName.put(name, router);
  }

  /**
   * The router of a name.
   *
   * @throws IllegalArgumentException if none was defined by it and no class has it
   */
  Router find(String name) {
    Router known = byName.get(name);
    if (known != null) {
      return known;
    }
    Router made;
    try {
      made = Class.forName(name).asSubclass(Router.class).getConstructor().newInstance();
    } catch (ReflectiveOperationException | ClassCastException | LinkageError e) {
      throw new IllegalArgumentException(
          "router [%s] is neither defined on this node nor a class on its class path that implements %s and has a public constructor without parameters: %s"
              .formatted(name, Router.class.getName(), e),
          e);
    }
    if (byName.size() >= NAMES_MAX) {
      return made; // not kept: names come from outside
    }
    Router first = byName.putIfAbsent(name, made);
    return first == null ? made : first;
  }
}
