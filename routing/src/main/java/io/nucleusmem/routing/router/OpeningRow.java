package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.routing.Target;
import java.util.ArrayList;
import java.util.List;

/**
 * A topic that routes have opened to the router: the entry {@code opening/SPACE/TOPIC}, written
 * together with the routes.
 *
 * @param mount the router's mount that was made for routes; null: it had one before
 * @param routes names of those that lead there; none: the mount is about to be revoked
 */
record OpeningRow(String mount, List<String> routes) {
  private static final String PREFIX = "opening/";
  static final OpeningRow NONE = new OpeningRow(null, List.of());

  OpeningRow {
    routes = List.copyOf(routes);
  }

  static EntryKey key(Target.Topic topic) {
    return EntryKey.of(PREFIX + topic.space() + "/" + topic.topic());
  }

  static OpeningRow read(Entry entry) {
    return StateJson.decode(entry.content().value(), OpeningRow.class);
  }

  Content toContent() {
    return Content.json(StateJson.encode(this).utf8());
  }

  /** True if a mount is to go and may still be there. */
  boolean isClosing() {
    return mount != null && routes.isEmpty();
  }

  OpeningRow with(String route, String itsMount) {
    List<String> all = new ArrayList<>(routes);
    if (!all.contains(route)) {
      all.add(route);
    }
    return new OpeningRow(itsMount, all);
  }

  OpeningRow without(String route) {
    return new OpeningRow(mount, routes.stream().filter(each -> !each.equals(route)).toList());
  }
}
