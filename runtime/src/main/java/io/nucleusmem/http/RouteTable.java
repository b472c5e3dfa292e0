package io.nucleusmem.http;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * All calls that the node answers, as a tree of path segments.
 *
 * <p>A template is the contract's own notation: {@code /v1/spaces/{space}} has one parameter,
 * {@code {key...}} at the end takes the rest of the path. A literal goes before a parameter. Not
 * Akka's directives: with a table, a path that exists under another method is a 405 that names the
 * right ones, and a test can read the table against the contract.
 */
final class RouteTable {
  private static final String HEAD = "HEAD";
  private static final String GET = "GET";

  /**
   * One call.
   *
   * @param parameters names in the order of the path
   * @param query names of the query parameters that it knows
   * @param open true if it needs no authentication
   */
  record Route(
      String method,
      String template,
      List<String> parameters,
      Set<String> query,
      boolean open,
      Handler handler) {}

  /**
   * A route and the segments that its parameters matched, still percent-encoded.
   *
   * @param values in the order of the route's parameters
   */
  record Match(Route route, List<String> values) {}

  private static final class Node {
    private final Map<String, Node> literals = new HashMap<>();
    private final Map<String, Route> byMethod = new TreeMap<>();
    private final Map<String, Route> restByMethod = new TreeMap<>();
    private Node parameter;
  }

  private final Node root = new Node();
  private final List<Route> routes = new ArrayList<>();

  /** Adds a call that needs authentication. */
  RouteTable add(String method, String template, Set<String> query, Handler handler) {
    return add(method, template, query, false, handler);
  }

  /** Adds a call without query parameters that needs authentication. */
  RouteTable add(String method, String template, Handler handler) {
    return add(method, template, Set.of(), false, handler);
  }

  /** Adds a call for everybody. */
  RouteTable addOpen(String method, String template, Handler handler) {
    return add(method, template, Set.of(), true, handler);
  }

  private RouteTable add(
      String method, String template, Set<String> query, boolean open, Handler handler) {
    List<String> parameters = new ArrayList<>();
    Node node = root;
    boolean rest = false;
    for (String segment : segments(template)) {
      if (segment.endsWith("...}")) {
        parameters.add(segment.substring(1, segment.length() - 4));
        rest = true;
      } else if (segment.startsWith("{")) {
        parameters.add(segment.substring(1, segment.length() - 1));
        node.parameter = node.parameter == null ? new Node() : node.parameter;
        node = node.parameter;
      } else {
        node = node.literals.computeIfAbsent(segment, name -> new Node());
      }
    }
    Route route = new Route(method, template, List.copyOf(parameters), query, open, handler);
    if ((rest ? node.restByMethod : node.byMethod).put(method, route) != null) {
      throw new IllegalStateException("two routes for [" + method + " " + template + "]");
    }
    routes.add(route);
    return this;
  }

  /** All calls, in the order in which they were added. */
  List<Route> routes() {
    return List.copyOf(routes);
  }

  /**
   * Finds the call.
   *
   * @param path percent-encoded, from its first {@code /} on
   * @throws MemSpaceException {@link ErrorCode#NOT_FOUND}, {@link ErrorCode#METHOD_NOT_ALLOWED}
   */
  Match find(String method, String path) {
    String[] segments = segments(path);
    List<String> values = new ArrayList<>(4);
    Map<String, Route> found = find(root, segments, 0, values, method);
    if (found == null) { // a name that is a literal of another method, such as a space [import]
      values.clear();
      found = find(root, segments, 0, values, null);
    }
    if (found == null) {
      throw new MemSpaceException(
          ErrorCode.NOT_FOUND,
          "[%s %s] is no call of this node; its calls begin with /v1, such as GET /v1/spaces"
              .formatted(method, path));
    }
    Route route = found.get(method);
    if (route == null && method.equals(HEAD)) {
      route = found.get(GET);
    }
    if (route == null) {
      String allowed = found.keySet().stream().collect(Collectors.joining(", "));
      throw new MemSpaceException(
          ErrorCode.METHOD_NOT_ALLOWED,
          "[%s] is not possible on [%s]; accepted: %s".formatted(method, path, allowed),
          Map.of("accepted", allowed));
    }
    return new Match(route, values);
  }

  /**
   * The calls of a path.
   *
   * @param method that one of them must have; null: whichever they have
   */
  private static Map<String, Route> find(
      Node node, String[] segments, int at, List<String> values, String method) {
    if (at == segments.length) {
      return answers(node.byMethod, method) ? node.byMethod : null;
    }
    Node literal = node.literals.get(segments[at]);
    if (literal != null) {
      Map<String, Route> found = find(literal, segments, at + 1, values, method);
      if (found != null) {
        return found;
      }
    }
    if (node.parameter != null && !segments[at].isEmpty()) {
      values.add(segments[at]);
      Map<String, Route> found = find(node.parameter, segments, at + 1, values, method);
      if (found != null) {
        return found;
      }
      values.remove(values.size() - 1);
    }
    if (answers(node.restByMethod, method)) {
      values.add(String.join("/", List.of(segments).subList(at, segments.length)));
      return node.restByMethod;
    }
    return null;
  }

  private static boolean answers(Map<String, Route> byMethod, String method) {
    return method == null
        ? !byMethod.isEmpty()
        : byMethod.containsKey(method) || method.equals(HEAD) && byMethod.containsKey(GET);
  }

  private static String[] segments(String path) {
    return (path.startsWith("/") ? path.substring(1) : path).split("/", -1);
  }
}
