package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KeyRange;
import java.nio.charset.StandardCharsets;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.shade.com.google.protobuf.UnsafeByteOperations;

/**
 * Our keys and values as TiKV's: keys behind the cluster's prefix, values behind a zero byte, since
 * TiKV's clients take an empty value for none.
 */
final class Keys {
  private final ByteString prefix;
  private final ByteString behindAll;

  Keys(String prefix) {
    Bytes bytes = Bytes.wrap(prefix.getBytes(StandardCharsets.US_ASCII));
    this.prefix = ByteString.copyFrom(bytes.shared());
    this.behindAll = ByteString.copyFrom(KeyRange.after(bytes).shared());
  }

  static int compare(ByteString a, ByteString b) {
    return ByteString.unsignedLexicographicalComparator().compare(a, b);
  }

  ByteString key(Bytes key) {
    return prefix.concat(UnsafeByteOperations.unsafeWrap(key.shared()));
  }

  /** The end of a range; empty is the end of all keys of ours. */
  ByteString end(Bytes key) {
    return key.isEmpty() ? behindAll : key(key);
  }

  Bytes key(ByteString key) {
    return Bytes.wrap(key.substring(prefix.size()).toByteArray());
  }

  static ByteString value(Bytes value) {
    byte[] headed = new byte[value.length() + 1];
    System.arraycopy(value.shared(), 0, headed, 1, value.length());
    return UnsafeByteOperations.unsafeWrap(headed);
  }

  static Bytes value(ByteString headed) {
    return Bytes.wrap(headed.substring(1).toByteArray());
  }
}
