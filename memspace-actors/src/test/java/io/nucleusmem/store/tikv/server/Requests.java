package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.tikv.shade.com.google.protobuf.Message;

/** What has arrived at the cluster, disturbed or not. */
public final class Requests {
  private static final int KEPT_MAX = 10_000;

  private final Map<RequestKind, Integer> counts = new EnumMap<>(RequestKind.class);
  private final Map<RequestKind, List<Message>> messages = new EnumMap<>(RequestKind.class);

  synchronized void add(RequestKind kind, Message request) {
    counts.merge(kind, 1, Integer::sum);
    List<Message> kept = messages.computeIfAbsent(kind, k -> new ArrayList<>());
    if (kept.size() < KEPT_MAX) {
      kept.add(request);
    }
  }

  public synchronized int count(RequestKind kind) {
    return counts.getOrDefault(kind, 0);
  }

  /** The first {@value #KEPT_MAX} of a kind since the last reset, in the order of arrival. */
  public synchronized <M extends Message> List<M> received(RequestKind kind, Class<M> type) {
    return messages.getOrDefault(kind, List.of()).stream().map(type::cast).toList();
  }

  public synchronized void reset() {
    counts.clear();
    messages.clear();
  }
}
