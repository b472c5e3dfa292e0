package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.routing.RoutedMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeMap;

/**
 * A message that is routed under an id of its sender's; remembered as {@code DECISION CONTENT}.
 *
 * @param id of sender and id, 32 hexadecimal digits: names of any length and form
 * @param content of all that was sent, 32 hexadecimal digits: the router looks at less
 */
record Request(String id, String content) {
  private static final int BYTES = 16; // of a hash
  private static final char BETWEEN = ' ';

  static Request of(RoutedMessage message, String requestId) {
    MessageDigest id = sha256();
    add(id, message.sender());
    add(id, requestId);
    MessageDigest content = sha256();
    add(content, message.conversation().map(text -> "+" + text).orElse("-"));
    add(content, message.content().contentType());
    add(content, message.content().value().shared());
    new TreeMap<>(message.content().metadata())
        .forEach(
            (name, value) -> {
              add(content, name);
              add(content, value);
            });
    return new Request(hex(id), hex(content));
  }

  private static void add(MessageDigest digest, String text) {
    add(digest, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void add(MessageDigest digest, byte[] bytes) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    digest.update(bytes);
  }

  private static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** What is remembered. */
  String remembering(String decision) {
    return decision + BETWEEN + content;
  }

  /** The decision of what is remembered. */
  String decision(String remembered) {
    int between = remembered.indexOf(BETWEEN);
    if (between < 0 || !remembered.substring(between + 1).equals(content)) {
      throw new MemSpaceException(
          ErrorCode.IDEMPOTENCY_KEY_REUSED,
          "the request id was used for another message; use a new one for each");
    }
    return remembered.substring(0, between);
  }
}
