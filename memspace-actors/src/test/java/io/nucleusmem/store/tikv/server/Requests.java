package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tikv.shade.com.google.protobuf.Descriptors.FieldDescriptor;
import org.tikv.shade.com.google.protobuf.Message;

/** What has arrived at the cluster, disturbed or not. */
public final class Requests {
  private static final int KEPT_MAX = 10_000;

  private final Map<RequestKind, Integer> counts = new EnumMap<>(RequestKind.class);
  private final Map<RequestKind, List<Message>> messages = new EnumMap<>(RequestKind.class);
  private final Map<Long, Integer> written = new HashMap<>(); // by the transaction's start
  private int writes;

  synchronized void add(RequestKind kind, Message request) {
    counts.merge(kind, 1, Integer::sum);
    List<Message> kept = messages.computeIfAbsent(kind, k -> new ArrayList<>());
    if (kept.size() < KEPT_MAX) {
      kept.add(request);
    }
  }

  /** A request has changed something: one entry of its region's Raft log. */
  synchronized void wrote(Message request) {
    writes++;
    FieldDescriptor start = request.getDescriptorForType().findFieldByName("start_version");
    if (start != null && written.size() < KEPT_MAX) {
      written.merge((Long) request.getField(start), 1, Integer::sum);
    }
  }

  /** Requests that have changed something; each would be one Raft write in TiKV. */
  public synchronized int writes() {
    return writes;
  }

  /** Those among them of the transaction that began at a timestamp. */
  public synchronized int writesOf(long start) {
    return written.getOrDefault(start, 0);
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
    written.clear();
    writes = 0;
  }
}
