package io.nucleusmem.store.tikv;

import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * The form in which PD knows the ends of regions of transactional data: groups of eight bytes, each
 * with a marker of how many are filled, so that the order of keys is kept (TiKV: {@code
 * codec::bytes}, "memcomparable").
 */
final class RegionKeys {
  private static final int GROUP = 8;

  private RegionKeys() {}

  /** Empty stays empty: it is no key but the end of the world. */
  static ByteString encode(ByteString key) {
    if (key.isEmpty()) {
      return key;
    }
    byte[] plain = key.toByteArray();
    byte[] out = new byte[(plain.length / GROUP + 1) * (GROUP + 1)];
    int at = 0;
    for (int from = 0; from <= plain.length; from += GROUP) {
      int filled = Math.min(GROUP, plain.length - from);
      System.arraycopy(plain, from, out, at, filled);
      out[at + GROUP] = (byte) (0xFF - (GROUP - filled));
      at += GROUP + 1;
    }
    return ByteString.copyFrom(out);
  }

  static ByteString decode(ByteString encoded) {
    ByteString.Output out = ByteString.newOutput(encoded.size());
    for (int from = 0; from + GROUP < encoded.size(); from += GROUP + 1) {
      int empty = 0xFF - (encoded.byteAt(from + GROUP) & 0xFF);
      for (int i = from; i < from + GROUP - empty; i++) {
        out.write(encoded.byteAt(i));
      }
    }
    return out.toByteString();
  }
}
