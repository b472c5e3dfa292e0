package io.nucleusmem.routing.router;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Ids that sort by time: the millisecond in {@link #TIME_DIGITS} hexadecimal digits, then as many
 * random ones.
 */
final class TimeIds {
  static final int TIME_DIGITS = 12;
  static final int DIGITS = 32;

  private static final Instant LAST = Instant.ofEpochMilli((1L << 4 * TIME_DIGITS) - 1);
  private static final String HEX = "0123456789abcdef";
  private static final HexFormat FORMAT = HexFormat.of();

  private final RandomGenerator random;

  TimeIds(RandomGenerator random) {
    this.random = random;
  }

  String next(Instant now) {
    byte[] tail = new byte[(DIGITS - TIME_DIGITS) / 2];
    random.nextBytes(tail);
    return time(now) + FORMAT.formatHex(tail);
  }

  /** The first digits of all ids of a millisecond. */
  static String time(Instant instant) {
    long millis =
        instant.isAfter(LAST)
            ? LAST.toEpochMilli()
            : instant.isBefore(Instant.EPOCH) ? 0 : instant.toEpochMilli();
    return FORMAT.toHexDigits(millis, TIME_DIGITS);
  }

  /** The first id of a millisecond. */
  static String first(Instant instant) {
    return time(instant) + "0".repeat(DIGITS - TIME_DIGITS);
  }

  /** The last id of a millisecond. */
  static String last(Instant instant) {
    return time(instant) + "f".repeat(DIGITS - TIME_DIGITS);
  }

  /** The id behind another one; the last of all has none and is its own. */
  static String after(String id) {
    char[] digits = id.toCharArray();
    for (int i = digits.length - 1; i >= 0; i--) {
      if (digits[i] != 'f') {
        digits[i] = HEX.charAt(HEX.indexOf(digits[i]) + 1);
        return new String(digits);
      }
      digits[i] = '0';
    }
    return id;
  }

  static boolean isId(String text) {
    return text.length() == DIGITS && text.chars().allMatch(c -> HEX.indexOf(c) >= 0);
  }

  /**
   * The prefixes that cover exactly the ids from one to another, both included, in order; a scan by
   * prefix is what a space offers. With digits of base 4: {@code 0312 to 1100} is {@code 0312,
   * 0313, 032, 033, 10, 1100}.
   */
  static List<String> prefixes(String from, String to) {
    List<String> prefixes = new ArrayList<>();
    if (from.compareTo(to) <= 0) {
      cover("", from, to, prefixes);
    }
    return prefixes;
  }

  private static void cover(String prefix, String from, String to, List<String> prefixes) {
    String rest = "0".repeat(DIGITS - prefix.length());
    String first = prefix + rest;
    String last = prefix + rest.replace('0', 'f');
    if (last.compareTo(from) < 0 || first.compareTo(to) > 0) {
      return;
    }
    if (first.compareTo(from) >= 0 && last.compareTo(to) <= 0) {
      prefixes.add(prefix);
      return;
    }
    for (int i = 0; i < HEX.length(); i++) {
      cover(prefix + HEX.charAt(i), from, to, prefixes);
    }
  }
}
