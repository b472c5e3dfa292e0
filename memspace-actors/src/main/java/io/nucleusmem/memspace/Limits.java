package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/** Checks what callers hand in, before anything is sent. */
final class Limits {
  static final int PAGE_MAX = 1_000;
  static final int CLAIMS_PER_CALL_MAX = 100;
  static final Duration LEASE_MAX = Duration.ofHours(1);
  private static final int CONTENT_TYPE_CHARS_MAX = 255;
  private static final int LABELS_MAX = 64;
  private static final int WORD_CHARS_MAX = 128;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");

  private final MemSpaceSettings settings;

  Limits(MemSpaceSettings settings) {
    this.settings = settings;
  }

  static void name(String field, String name) {
    if (name == null || !NAME.matcher(name).matches()) {
      throw MemSpaceException.invalid(
          field, name, "1 to 128 of [A-Za-z0-9._-], not starting with a dot");
    }
  }

  static void labels(Map<String, String> labels) {
    if (labels.size() > LABELS_MAX) {
      throw MemSpaceException.tooLarge("labels", labels.size(), LABELS_MAX, "labels");
    }
    labels.forEach(
        (name, value) -> {
          word("labels", name);
          if (value.length() > WORD_CHARS_MAX) {
            throw MemSpaceException.tooLarge(
                "labels." + name, value.length(), WORD_CHARS_MAX, "characters");
          }
        });
  }

  static void word(String field, String word) {
    if (word == null || word.isBlank() || word.length() > WORD_CHARS_MAX) {
      throw MemSpaceException.invalid(field, word, "1 to 128 characters");
    }
  }

  static void page(int limit) {
    if (limit < 1 || limit > PAGE_MAX) {
      throw MemSpaceException.invalid("limit", limit, "1 to " + PAGE_MAX);
    }
  }

  static void lease(Duration lease) {
    if (lease.toMillis() < 1 || lease.compareTo(LEASE_MAX) > 0) {
      throw MemSpaceException.invalid("lease_ms", lease.toMillis(), "1 to " + LEASE_MAX.toMillis());
    }
  }

  static void requestId(String id) {
    if (id.length() < 16 || id.length() > 128) {
      throw MemSpaceException.invalid("request id", id, "16 to 128 characters");
    }
  }

  void key(EntryKey key) {
    if (key.name().isEmpty()) {
      throw MemSpaceException.invalid("key", "", "1 to " + settings.keyBytesMax() + " bytes");
    }
    prefix(key);
  }

  void prefix(EntryKey key) {
    int bytes = utf8Length(key.name());
    if (bytes > settings.keyBytesMax()) {
      throw MemSpaceException.tooLarge("key", bytes, settings.keyBytesMax(), "bytes");
    }
    if (key.region() == Region.COMM) {
      throw MemSpaceException.invalid(
          "region", "comm", "memory, task, summary or tool; messages go through topics");
    }
  }

  int valueBytesMax() {
    return settings.valueBytesMax();
  }

  /** Bytes of a content. */
  int content(Content content) {
    if (content.value().length() > settings.valueBytesMax()) {
      throw MemSpaceException.tooLarge(
          "value", content.value().length(), settings.valueBytesMax(), "bytes");
    }
    if (content.contentType().isEmpty()
        || content.contentType().length() > CONTENT_TYPE_CHARS_MAX) {
      throw MemSpaceException.invalid(
          "content_type", content.contentType(), "a media type of at most 255 characters");
    }
    if (Tombstones.isOne(content)) {
      throw MemSpaceException.invalid(
          "content_type", content.contentType(), "a type that is not the node's own");
    }
    int metadata = 0;
    for (Map.Entry<String, String> each : content.metadata().entrySet()) {
      metadata += utf8Length(each.getKey()) + utf8Length(each.getValue());
    }
    if (metadata > settings.metadataBytesMax()) {
      throw MemSpaceException.tooLarge("metadata", metadata, settings.metadataBytesMax(), "bytes");
    }
    return content.value().length() + metadata;
  }

  /** Bytes of a batch. */
  int batch(List<Operation> operations) {
    if (operations.isEmpty() || operations.size() > settings.batchOperationsMax()) {
      throw MemSpaceException.invalid(
          "ops", operations.size() + " operations", "1 to " + settings.batchOperationsMax());
    }
    long bytes = 0;
    Set<EntryKey> keys = operations.size() == 1 ? null : new HashSet<>();
    for (Operation operation : operations) {
      if (operation instanceof Operation.Append) {
        prefix(operation.key());
      } else {
        key(operation.key());
        if (keys != null && !keys.add(operation.key())) {
          throw MemSpaceException.invalid("ops", operation.key() + " twice", "each key once");
        }
      }
      if (operation instanceof Operation.Check check && check.ifRevision().isEmpty()) {
        throw MemSpaceException.invalid("if_revision", "nothing", "a revision, 0 for absent");
      }
      if (operation.ifRevision().isPresent() && operation.ifRevision().getAsLong() < 0) {
        throw MemSpaceException.invalid(
            "if_revision", operation.ifRevision().getAsLong(), "a revision, 0 for absent");
      }
      bytes += operation.key().name().length() + bytesOf(operation);
    }
    if (bytes > settings.batchBytesMax()) {
      throw MemSpaceException.tooLarge("batch", bytes, settings.batchBytesMax(), "bytes");
    }
    return (int) bytes;
  }

  private int bytesOf(Operation operation) {
    if (operation instanceof Operation.Put put) {
      return content(put.content());
    }
    if (operation instanceof Operation.Append append) {
      return content(append.content());
    }
    if (operation instanceof Operation.Merge merge) {
      int bytes = utf8Length(merge.patch());
      if (bytes > settings.valueBytesMax()) {
        throw MemSpaceException.tooLarge("patch", bytes, settings.valueBytesMax(), "bytes");
      }
      return bytes;
    }
    return 8;
  }

  /** Tells requests under one id apart: a checksum and the length of all they ask. */
  static long hash(Object... parts) {
    CRC32C crc = new CRC32C();
    long length = 0;
    for (Object part : parts) {
      byte[] bytes =
          part instanceof Bytes raw
              ? raw.shared()
              : String.valueOf(inOrder(part)).getBytes(StandardCharsets.UTF_8);
      crc.update(bytes);
      crc.update(0);
      length += bytes.length;
    }
    return crc.getValue() << 32 ^ length;
  }

  /** Maps by name: another process, which gets the request again, has them in another order. */
  private static Object inOrder(Object part) {
    return part instanceof Map<?, ?> map ? new TreeMap<Object, Object>(map) : part;
  }

  static long hash(List<Operation> operations) {
    Object[] parts = new Object[operations.size() * 3];
    int at = 0;
    for (Operation operation : operations) {
      Content content =
          operation instanceof Operation.Put put
              ? put.content()
              : operation instanceof Operation.Append append ? append.content() : null;
      parts[at++] =
          operation.getClass().getSimpleName()
              + operation.key()
              + operation.ifRevision()
              + operation.claim();
      parts[at++] = content == null ? operation : content.value();
      boolean claimDone = operation instanceof Operation.Put put && put.claimDone();
      parts[at++] =
          content == null
              ? ""
              : content.contentType() + new TreeMap<>(content.metadata()) + claimDone;
    }
    return hash(parts);
  }

  private static int utf8Length(String text) {
    int length = text.length();
    for (int i = 0; i < length; i++) {
      if (text.charAt(i) >= 0x80) {
        return text.getBytes(StandardCharsets.UTF_8).length;
      }
    }
    return length;
  }
}
