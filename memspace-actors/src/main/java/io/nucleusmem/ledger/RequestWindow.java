package io.nucleusmem.ledger;

/**
 * The ids of the requests that were applied lately, with revision and hash: open addressing over
 * arrays, oldest first out, 56 bytes an id. Holds nothing until the first id comes.
 */
final class RequestWindow {
  private static final int FIRST = 64;

  private final int max;
  private final long windowMillis;

  // a ring in the order of revisions; slots hold ring positions + 1, 0 is free
  private long[] high;
  private long[] low;
  private long[] hash;
  private long[] revision;
  private long[] time;
  private int[] slots;
  private int oldest;
  private int size;
  private long droppedUpTo =
      Long.MIN_VALUE; // newest time of an id that may have been forgotten early

  RequestWindow(int max, long windowMillis) {
    this.max = max;
    this.windowMillis = windowMillis;
  }

  /** Revision of the request with this id, or -1. */
  long revisionOf(RequestStamp stamp) {
    int at = find(stamp);
    return at < 0 ? -1 : revision[at];
  }

  /** True if the id is known and was used for something else. */
  boolean reused(RequestStamp stamp) {
    int at = find(stamp);
    return at >= 0 && hash[at] != stamp.hash();
  }

  /** True if a request made then may have been applied and forgotten. */
  boolean tooOld(long createdAt, long nowMillis) {
    return createdAt < nowMillis - windowMillis || createdAt <= droppedUpTo;
  }

  /** Remembers a request. Revisions rise. */
  void add(RequestStamp stamp, long atRevision, long atMillis) {
    if (slots == null) {
      allocate(FIRST);
    }
    while (size > 0 && time[oldest] < atMillis - windowMillis) {
      removeOldest();
    }
    if (size == max) {
      droppedUpTo = Math.max(droppedUpTo, time[oldest]);
      removeOldest();
    }
    if (size == high.length) {
      grow();
    }
    int at = (oldest + size) % high.length;
    high[at] = stamp.high();
    low[at] = stamp.low();
    hash[at] = stamp.hash();
    revision[at] = atRevision;
    time[at] = atMillis;
    size++;
    index(at);
  }

  /** Says that ids applied up to a time are not here; requests made before it are too old. */
  void forgottenUpTo(long millis) {
    droppedUpTo = Math.max(droppedUpTo, millis);
  }

  int size() {
    return size;
  }

  /** Adds what is here behind what is there. */
  void copyInto(RequestWindow other) {
    for (int i = 0; i < size; i++) {
      int at = (oldest + i) % high.length;
      other.add(new RequestStamp(high[at], low[at], hash[at]), revision[at], time[at]);
    }
    other.droppedUpTo = Math.max(other.droppedUpTo, droppedUpTo);
  }

  private int find(RequestStamp stamp) {
    if (slots == null) {
      return -1;
    }
    for (int i = slotOf(stamp.high(), stamp.low());
        slots[i] != 0;
        i = (i + 1) & (slots.length - 1)) {
      int at = slots[i] - 1;
      if (high[at] == stamp.high() && low[at] == stamp.low()) {
        return at;
      }
    }
    return -1;
  }

  private int slotOf(long h, long l) {
    long mixed = (h ^ l * 0x9E3779B97F4A7C15L) * 0xD6E8FEB86659FD93L;
    return (int) (mixed >>> 33) & (slots.length - 1);
  }

  private void index(int at) {
    int i = slotOf(high[at], low[at]);
    while (slots[i] != 0) {
      i = (i + 1) & (slots.length - 1);
    }
    slots[i] = at + 1;
  }

  private void removeOldest() {
    int i = slotOf(high[oldest], low[oldest]);
    while (slots[i] != oldest + 1) {
      i = (i + 1) & (slots.length - 1);
    }
    // linear probing: what stands behind the gap moves into it where it may
    int gap = i;
    for (int j = (gap + 1) & (slots.length - 1); slots[j] != 0; j = (j + 1) & (slots.length - 1)) {
      int home = slotOf(high[slots[j] - 1], low[slots[j] - 1]);
      if (((j - home) & (slots.length - 1)) >= ((j - gap) & (slots.length - 1))) {
        slots[gap] = slots[j];
        gap = j;
      }
    }
    slots[gap] = 0;
    oldest = (oldest + 1) % high.length;
    size--;
  }

  private void allocate(int capacity) {
    high = new long[capacity];
    low = new long[capacity];
    hash = new long[capacity];
    revision = new long[capacity];
    time = new long[capacity];
    slots = new int[Integer.highestOneBit(capacity * 4 - 1)]; // power of two, at most half full
  }

  private void grow() {
    long[][] old = {high, low, hash, revision, time};
    int from = oldest;
    int count = size;
    allocate(Math.min(max, high.length * 2));
    long[][] now = {high, low, hash, revision, time};
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < old.length; k++) {
        now[k][i] = old[k][(from + i) % old[k].length];
      }
    }
    oldest = 0;
    for (int i = 0; i < count; i++) {
      index(i);
    }
  }
}
