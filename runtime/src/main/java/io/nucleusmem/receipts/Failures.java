package io.nucleusmem.receipts;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.lang.reflect.Constructor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;

/**
 * Failures as they are recorded: what a behavior may act on, and nothing of what entries hold.
 * {@code format(1)=0 code(text) class(text) message(text) details(bytes)}; the code is empty unless
 * a space or the like refused something. A record of an older version is the message alone.
 */
public final class Failures {
  private static final int FORMAT = 0; // no text begins with it
  private static final int MESSAGE_CHARS_MAX = 2_000;
  private static final int DETAIL_CHARS_MAX = 200;

  /** What these say quotes an entry. */
  private static final Set<ErrorCode> QUOTING = Set.of(ErrorCode.NOT_JSON, ErrorCode.NOT_A_NUMBER);

  private Failures() {}

  /** A failure without what stages wrap it in. */
  public static Throwable unwrap(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  static Bytes encode(Throwable failure) {
    Throwable cause = unwrap(failure);
    BytesWriter out = new BytesWriter(128).u8(FORMAT);
    if (cause instanceof MemSpaceException refused) {
      boolean quotes = QUOTING.contains(refused.code());
      Map<String, Object> details = new TreeMap<>();
      refused.details().forEach((name, value) -> addPlain(details, name, value));
      out.text(refused.code().name()).text("");
      out.text(quotes ? refused.code().label() : message(cause));
      out.bytes(PlainValues.encode(quotes ? Map.of() : details, loader()));
    } else {
      out.text("").text(cause.getClass().getName()).text(message(cause)).bytes(Bytes.EMPTY);
    }
    return out.toBytes();
  }

  private static ClassLoader loader() {
    return Failures.class.getClassLoader();
  }

  private static void addPlain(Map<String, Object> details, String name, Object value) {
    if (value instanceof Integer
        || value instanceof Long
        || value instanceof Boolean
        || value instanceof String text && text.length() <= DETAIL_CHARS_MAX) {
      details.put(name, value);
    }
  }

  private static String message(Throwable cause) {
    String message = String.valueOf(cause.getMessage());
    return message.length() <= MESSAGE_CHARS_MAX
        ? message
        : message.substring(0, MESSAGE_CHARS_MAX) + " ...";
  }

  /**
   * The failure again: of the same class, where that can be made of a message.
   *
   * @param loader that knows the agent's classes
   */
  static Throwable decode(Bytes failure, ClassLoader loader) {
    if (failure.isEmpty() || failure.at(0) != FORMAT) {
      return new MemSpaceException(ErrorCode.UNAVAILABLE, failure.utf8());
    }
    BytesReader in = new BytesReader(failure, 1);
    String code = in.text();
    String type = in.text();
    String message = in.text();
    Bytes details = in.bytes();
    if (code.isEmpty()) {
      return made(type, message, loader);
    }
    Map<String, Object> named = new LinkedHashMap<>();
    if (PlainValues.decode(details, loader) instanceof Map<?, ?> all) {
      all.forEach((name, value) -> named.put((String) name, value));
    }
    return new MemSpaceException(ErrorCode.valueOf(code), message, named);
  }

  private static Throwable made(String type, String message, ClassLoader loader) {
    try {
      Class<?> found = Class.forName(type, false, loader);
      if (Throwable.class.isAssignableFrom(found)) {
        Constructor<?> constructor = found.getDeclaredConstructor(String.class);
        constructor.setAccessible(true);
        return (Throwable) constructor.newInstance(message.equals("null") ? null : message);
      }
    } catch (ReflectiveOperationException | RuntimeException other) {
      // below
    }
    return new IllegalStateException(type + ": " + message);
  }
}
