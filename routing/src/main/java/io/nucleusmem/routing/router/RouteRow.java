package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Target;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A route as it is stored: the entry {@code route/NAME}. Exactly one of the three kinds of target
 * is there.
 */
record RouteRow(
    String agent,
    String agentType,
    String space,
    String topic,
    String description,
    List<String> examples,
    Map<String, String> labels,
    String owner,
    List<String> senders) {
  static final String PREFIX = "route/";

  static EntryKey key(String name) {
    return EntryKey.of(PREFIX + name);
  }

  static RouteRow of(Route route, String owner, Set<String> senders) {
    Target target = route.target();
    return new RouteRow(
        target instanceof Target.Agent agent ? agent.id() : null,
        target instanceof Target.AgentType type ? type.type() : null,
        target instanceof Target.Topic topic ? topic.space() : null,
        target instanceof Target.Topic topic ? topic.topic() : null,
        route.description(),
        route.examples(),
        new TreeMap<>(route.labels()),
        owner,
        List.copyOf(new TreeSet<>(senders)));
  }

  Content toContent() {
    return Content.json(StateJson.encode(this).utf8());
  }

  private Target target() {
    return agent != null
        ? new Target.Agent(agent)
        : agentType != null ? new Target.AgentType(agentType) : new Target.Topic(space, topic);
  }

  static RegisteredRoute read(Entry entry) {
    RouteRow row = StateJson.decode(entry.content().value(), RouteRow.class);
    Route route =
        new Route(
            entry.key().name().substring(PREFIX.length()),
            row.target(),
            row.description(),
            row.examples(),
            row.labels());
    return new RegisteredRoute(
        route, row.owner(), Set.copyOf(row.senders()), entry.revision(), entry.at(), false);
  }
}
