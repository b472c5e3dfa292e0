package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What is asked of the router and what it answers, as records have them: of the first the hash is
 * kept, of the second ids and revisions.
 */
final class RouterCalls {
  static final String ROUTE = "route";
  static final String OFFER = "offer";
  static final String WITHDRAW = "withdraw";
  static final String HAND_OVER = "hand-over";

  private RouterCalls() {}

  static Bytes route(Content content) {
    return content(new BytesWriter(64), content).toBytes();
  }

  static Bytes offer(String name, boolean all, String description, List<String> examples) {
    BytesWriter out = new BytesWriter(64).text(name).u8(all ? 1 : 0).text(description);
    examples.forEach(out::text);
    return out.toBytes();
  }

  static Bytes withdraw(String name) {
    return Bytes.utf8(name);
  }

  static Bytes handOver(HandOver handOver) {
    BytesWriter out = new BytesWriter(64).text(handOver.to()).text(handOver.conversation());
    handOver.mounts().forEach(mount -> out.bytes(StateJson.encode(mount)));
    return content(out, handOver.note()).toBytes();
  }

  private static BytesWriter content(BytesWriter out, Content content) {
    out.text(content.contentType()).bytes(content.value()).varint(content.metadata().size());
    for (Map.Entry<String, String> each : new TreeMap<>(content.metadata()).entrySet()) {
      out.text(each.getKey()).text(each.getValue());
    }
    return out;
  }

  /** The route itself is in the request. */
  private record Offered(
      String owner, List<String> senders, long revision, long millis, boolean created) {}

  static Bytes reply(RegisteredRoute route) {
    return StateJson.encode(
        new Offered(
            route.owner(),
            List.copyOf(route.senders()),
            route.revision(),
            route.at().toEpochMilli(),
            route.created()));
  }

  static RegisteredRoute offered(Bytes reply, Route route) {
    Offered offered = StateJson.decode(reply, Offered.class);
    return new RegisteredRoute(
        route,
        offered.owner(),
        Set.copyOf(offered.senders()),
        offered.revision(),
        Instant.ofEpochMilli(offered.millis()),
        offered.created());
  }

  static Bytes reply(Published published) {
    return StateJson.encode(published);
  }

  static Published published(Bytes reply) {
    return StateJson.decode(reply, Published.class);
  }
}
