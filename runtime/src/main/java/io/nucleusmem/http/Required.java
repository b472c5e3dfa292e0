package io.nucleusmem.http;

import io.nucleusmem.memspace.MemSpaceException;
import java.util.List;
import java.util.Map;

/** Fields of a JSON body that may not be absent. */
final class Required {
  private Required() {}

  static String text(String field, String value) {
    if (value == null) {
      throw absent(field, "a text");
    }
    return value;
  }

  static long number(String field, Long value) {
    if (value == null) {
      throw absent(field, "a whole number");
    }
    return value;
  }

  static <T> List<T> list(String field, List<T> values) {
    if (values == null) {
      throw absent(field, "a list");
    }
    return elements(field, values);
  }

  /** A list that may be absent, and then is empty. */
  static <T> List<T> listOrNone(String field, List<T> values) {
    return values == null ? List.of() : elements(field, values);
  }

  /** Texts by name, that may be absent and then are none. */
  static Map<String, String> texts(String field, Map<String, String> values) {
    if (values == null) {
      return Map.of();
    }
    values.forEach(
        (name, value) -> {
          if (value == null) {
            throw MemSpaceException.invalid(field + "." + name, "null", "a text");
          }
        });
    return values;
  }

  private static <T> List<T> elements(String field, List<T> values) {
    for (T value : values) {
      if (value == null) {
        throw MemSpaceException.invalid(field, "a null in the list", "no null");
      }
    }
    return values;
  }

  private static MemSpaceException absent(String field, String accepted) {
    return MemSpaceException.invalid(field, "absent", accepted);
  }
}
