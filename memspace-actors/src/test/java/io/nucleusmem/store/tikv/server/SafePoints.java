package io.nucleusmem.store.tikv.server;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * What PD remembers about garbage collection: services that ask for old versions to be kept, each
 * for a time, and the point up to which they may go. As PD 8 has it, the second is not held back by
 * the first.
 */
final class SafePoints {
  /** The service that never expires; there from the first question on, at 0. */
  static final ByteString GC_WORKER = ByteString.copyFromUtf8("gc_worker");

  /**
   * @param expiresAt seconds; {@link Long#MAX_VALUE}: never
   */
  record Service(ByteString id, long expiresAt, long safePoint) {}

  private final Map<ByteString, Service> services = new HashMap<>();
  private long gcSafePoint;

  synchronized long gcSafePoint() {
    return gcSafePoint;
  }

  /** Never goes back. */
  synchronized long advanceGcSafePoint(long target) {
    gcSafePoint = Ts.max(gcSafePoint, target);
    return gcSafePoint;
  }

  /**
   * Stores a service's wish, unless it comes too late: below the least one it is ignored.
   *
   * @param ttl seconds; none: the service is forgotten
   * @return the least wish then
   */
  synchronized Service update(ByteString id, long ttl, long safePoint, long nowSeconds) {
    if (id.equals(GC_WORKER) && ttl != Long.MAX_VALUE) {
      throw new IllegalArgumentException("gc_worker takes a time to live of 2^63-1 only");
    }
    if (ttl <= 0) {
      services.remove(id);
    }
    Service least = least(nowSeconds);
    if (ttl > 0 && !Ts.after(least.safePoint(), safePoint)) {
      long expiresAt = Long.MAX_VALUE - nowSeconds <= ttl ? Long.MAX_VALUE : nowSeconds + ttl;
      services.put(id, new Service(id, expiresAt, safePoint));
    }
    return least(nowSeconds);
  }

  private Service least(long nowSeconds) {
    services.values().removeIf(service -> service.expiresAt() < nowSeconds);
    services.putIfAbsent(GC_WORKER, new Service(GC_WORKER, Long.MAX_VALUE, 0));
    return services.values().stream()
        .min(Comparator.comparing(Service::safePoint, Long::compareUnsigned))
        .orElseThrow();
  }
}
