package io.nucleusmem.store.tikv.server;

/** TiKV's timestamps are unsigned: the largest is -1. */
final class Ts {
  static final int LOGICAL_BITS = 18;
  static final long MAX = -1L;

  private Ts() {}

  static boolean after(long a, long b) {
    return Long.compareUnsigned(a, b) > 0;
  }

  static long max(long a, long b) {
    return after(a, b) ? a : b;
  }

  /** Milliseconds since 1970. */
  static long physical(long ts) {
    return ts >>> LOGICAL_BITS;
  }
}
