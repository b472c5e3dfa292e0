package io.nucleusmem.store.tikv.server;

import java.util.Comparator;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * Keys as PD and TiKV's region records hold them for transactional clients: the memcomparable form,
 * groups of eight bytes, each followed by 255 less the number of zeros that fill it up.
 */
final class RegionKey {
  static final Comparator<ByteString> ORDER = ByteString.unsignedLexicographicalComparator();

  private static final int GROUP = 8;

  private RegionKey() {}

  /** Empty stays empty: it is no key but the end of the world. */
  static ByteString encode(ByteString key) {
    if (key.isEmpty()) {
      return key;
    }
    byte[] plain = key.toByteArray();
    byte[] out = new byte[(key.size() / GROUP + 1) * (GROUP + 1)];
    int at = 0;
    for (int from = 0; from <= key.size(); from += GROUP) {
      int length = Math.min(GROUP, key.size() - from);
      System.arraycopy(plain, from, out, at, length);
      out[at + GROUP] = (byte) (0xff - (GROUP - length));
      at += GROUP + 1;
    }
    return ByteString.copyFrom(out);
  }

  static ByteString decode(ByteString encoded) {
    ByteString.Output out = ByteString.newOutput(encoded.size());
    for (int from = 0; from + GROUP < encoded.size(); from += GROUP + 1) {
      int filled = 0xff - (encoded.byteAt(from + GROUP) & 0xff);
      for (int i = from; i < from + GROUP - filled; i++) {
        out.write(encoded.byteAt(i));
      }
    }
    return out.toByteString();
  }
}
