package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.StateJson;
import java.util.Optional;

/**
 * A topic that has a router: the entry {@code hook/SPACE/TOPIC}; and, as {@code setting/router},
 * the router for all messages.
 *
 * @param router null: the one for all messages
 * @param mount the router's mount that was made for this hook; null: it had one before
 */
record HookRow(String space, String topic, String router, String mount) {
  static final String PREFIX = "hook/";
  static final EntryKey ROUTER = EntryKey.of("setting/router");

  static EntryKey key(String space, String topic) {
    return EntryKey.of(PREFIX + space + "/" + topic);
  }

  Optional<String> named() {
    return Optional.ofNullable(router);
  }

  Content toContent() {
    return Content.json(StateJson.encode(this).utf8());
  }

  static HookRow read(Entry entry) {
    return StateJson.decode(entry.content().value(), HookRow.class);
  }
}
