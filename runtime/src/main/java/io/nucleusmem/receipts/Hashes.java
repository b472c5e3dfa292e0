package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.store.Bytes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** Tells requests apart: a checksum and the length of all they ask. */
final class Hashes {
  private Hashes() {}

  static long of(Object... parts) {
    Hash hash = new Hash();
    for (Object part : parts) {
      hash.add(part);
    }
    return hash.value();
  }

  static long of(List<Operation> operations) {
    Hash hash = new Hash();
    for (Operation operation : operations) {
      hash.add(operation.getClass().getSimpleName());
      hash.add(operation.key());
      if (operation instanceof Operation.Put put) {
        hash.add(put.content());
      } else if (operation instanceof Operation.Append append) {
        hash.add(append.content());
      } else if (operation instanceof Operation.Merge merge) {
        hash.add(merge.patch());
      } else if (operation instanceof Operation.Add add) {
        hash.add(add.amount());
      }
    }
    return hash.value();
  }

  static Bytes sha256(Bytes bytes) {
    try {
      return Bytes.wrap(MessageDigest.getInstance("SHA-256").digest(bytes.shared()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static final class Hash {
    private final CRC32C crc = new CRC32C();
    private long length;

    void add(Object part) {
      if (part instanceof Content content) {
        add(content.value());
        add(content.contentType());
        add(new TreeMap<>(content.metadata()));
        return;
      }
      byte[] bytes =
          part instanceof Bytes raw
              ? raw.shared()
              : String.valueOf(part).getBytes(StandardCharsets.UTF_8);
      crc.update(bytes);
      crc.update(0);
      length += bytes.length;
    }

    long value() {
      return crc.getValue() << 32 ^ length;
    }
  }
}
