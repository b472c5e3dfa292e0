package io.nucleusmem.http;

import akka.http.javadsl.model.HttpRequest;
import akka.http.javadsl.model.MediaType;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.Bytes;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;

/**
 * One request, read as the contract says: parameters of path and query, headers, body. Every part
 * that is not as it must be is refused by name.
 */
final class Call {
  private static final Instant LAST = Instant.parse("6000-01-01T00:00:00Z");
  private static final int PAGE_LIMIT_DEFAULT = 100;
  private static final int PAGE_LIMIT_MAX = 1_000;
  private static final int REQUEST_ID_MIN = 16;
  private static final int REQUEST_ID_MAX = 128;
  private static final int METADATA_BYTES_MAX = 4_096;
  private static final int DIGITS_MAX = 18; // fits a long
  private static final String INSTANT = "instant such as 2026-11-23T14:03:07.123Z";
  private static final String JSON = "application/json";
  private static final Pattern BOOKMARK = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");

  private final HttpRequest request;
  private final RouteTable.Match match;
  private final String target;
  private final Map<String, String> query;
  private final Principal principal;
  private final Bodies bodies;

  /**
   * @param target path and query as they were sent
   */
  Call(
      HttpRequest request,
      RouteTable.Match match,
      String target,
      Principal principal,
      Bodies bodies) {
    this.request = request;
    this.match = match;
    this.principal = principal;
    this.bodies = bodies;
    this.target = target;
    int mark = target.indexOf('?');
    this.query = parseQuery(mark < 0 ? "" : target.substring(mark + 1), match.route().query());
  }

  HttpRequest request() {
    return request;
  }

  /** Who calls. */
  Principal principal() {
    return principal;
  }

  /** A parameter of the path, decoded. */
  String path(String name) {
    int index = match.route().parameters().indexOf(name);
    return Percent.decode(name, match.values().get(index), false);
  }

  /** A parameter of the query, decoded; empty where it is absent or has no value. */
  Optional<String> query(String name) {
    String value = query.get(name);
    return value == null || value.isEmpty() ? Optional.empty() : Optional.of(value);
  }

  /** A header's value as it was sent. */
  Optional<String> header(String name) {
    return request.getHeader(name).map(header -> header.value().trim());
  }

  /** Path and query as they were sent. */
  String target() {
    return target;
  }

  // ---- what many calls have ----

  /** The region of {@code region=}; {@code memory} by default. */
  Region region() {
    return query("region").map(Region::ofLabel).orElse(Region.MEMORY);
  }

  /** The size of a page. */
  int limit() {
    long limit = number("limit", query("limit")).orElse(PAGE_LIMIT_DEFAULT);
    if (limit < 1 || limit > PAGE_LIMIT_MAX) {
      throw MemSpaceException.invalid("limit", limit, "1 to " + PAGE_LIMIT_MAX);
    }
    return (int) limit;
  }

  Optional<String> cursor() {
    return query("cursor");
  }

  /** A yes or no of the query; no by default. */
  boolean flag(String name) {
    return query(name).map(text -> parseFlag(name, text)).orElse(false);
  }

  /** A yes or no of a header; no by default. */
  boolean headerFlag(String name) {
    return header(name).map(text -> parseFlag(name, text)).orElse(false);
  }

  /** A whole number of the query, at least 1. */
  OptionalLong revision(String name) {
    return number(name, query(name)).isPresent()
        ? OptionalLong.of(parseRevision(name, query(name).get()))
        : OptionalLong.empty();
  }

  /** A whole number of the query; 0 where it is absent. */
  long count(String name) {
    return number(name, query(name)).orElse(0);
  }

  /** A whole number of a header. */
  OptionalLong headerNumber(String name) {
    return number(name, header(name));
  }

  /** The state that a read is to show: {@code as_of}, or how fresh it has to be. */
  ReadAt readAt() {
    Optional<String> asOf = query("as_of");
    if (asOf.isPresent()) {
      return past("as_of", asOf.get());
    }
    OptionalLong atLeast = headerNumber(Headers.AT_LEAST);
    if (atLeast.isPresent()) {
      return new ReadAt.AtLeast(atLeast.getAsLong());
    }
    OptionalLong maxAge = headerNumber(Headers.MAX_AGE_MS);
    return maxAge.isPresent()
        ? new ReadAt.Bounded(Duration.ofMillis(maxAge.getAsLong()))
        : ReadAt.LATEST;
  }

  /** The id under which a write is sent. */
  WriteOptions writeOptions() {
    return idempotencyKey().map(WriteOptions::id).orElse(WriteOptions.DEFAULT);
  }

  /** The key that the caller gave its write. */
  Optional<String> idempotencyKey() {
    Optional<String> key = header(Headers.IDEMPOTENCY_KEY);
    key.ifPresent(
        text -> {
          if (text.length() < REQUEST_ID_MIN || text.length() > REQUEST_ID_MAX) {
            throw MemSpaceException.invalid(
                Headers.IDEMPOTENCY_KEY,
                text.length() + " characters",
                REQUEST_ID_MIN + " to " + REQUEST_ID_MAX + " characters");
          }
        });
    return key;
  }

  /** The revision of {@code If-Match}; with {@code If-None-Match: *} 0, which means absent. */
  OptionalLong ifRevision() {
    Optional<String> match = header(Headers.IF_MATCH);
    boolean absent = ifAbsent();
    if (match.isPresent() && absent) {
      throw MemSpaceException.invalid(Headers.IF_NONE_MATCH, "* beside If-Match", "one of the two");
    }
    if (match.isPresent()) {
      return OptionalLong.of(entityTag(Headers.IF_MATCH, match.get()));
    }
    return absent ? OptionalLong.of(0) : OptionalLong.empty();
  }

  /** True for {@code If-None-Match: *} of a write. */
  boolean ifAbsent() {
    Optional<String> noneMatch = header(Headers.IF_NONE_MATCH);
    noneMatch.ifPresent(
        text -> {
          if (!text.equals("*")) {
            throw MemSpaceException.invalid(Headers.IF_NONE_MATCH, text, "* on a write");
          }
        });
    return noneMatch.isPresent();
  }

  /** True if {@code If-None-Match} of a read names the revision. */
  boolean hasAlready(long revision) {
    Optional<String> tags = header(Headers.IF_NONE_MATCH);
    if (tags.isEmpty()) {
      return false;
    }
    for (String tag : tags.get().split(",")) {
      String one = tag.trim();
      if (one.equals("*")
          || (one.startsWith("W/") ? one.substring(2) : one).equals("\"" + revision + "\"")) {
        return true;
      }
    }
    return false;
  }

  /** The metadata that the caller gives to what he writes. */
  Map<String, String> metadata() {
    Optional<String> json = header(Headers.METADATA);
    if (json.isEmpty()) {
      return Map.of();
    }
    int bytes = Bytes.utf8(json.get()).length();
    if (bytes > METADATA_BYTES_MAX) {
      throw MemSpaceException.tooLarge(Headers.METADATA, bytes, METADATA_BYTES_MAX, "bytes");
    }
    return Json.readTexts(Headers.METADATA, json.get());
  }

  /** The media type of the body as it was sent; bytes of no known type where there is none. */
  String contentType() {
    akka.http.javadsl.model.ContentType type = request.entity().getContentType();
    MediaType media = type.mediaType();
    return media.mainType().equals("none") ? "application/octet-stream" : type.toString();
  }

  // ---- body ----

  /** The body as it came; 413 if it is larger than a value may be. */
  CompletionStage<Bytes> raw() {
    return bodies.raw(request);
  }

  /** The bytes of a body that is JSON, for {@link Json#read}. */
  CompletionStage<Bytes> json() {
    requireType(JSON);
    return bodies.json(request);
  }

  /** The body as a record. */
  <T> CompletionStage<T> json(Class<T> type) {
    return json().thenApply(bytes -> Json.read("body", bytes, type));
  }

  /** Refuses a body of another type; one without a type passes. */
  void requireType(String accepted) {
    MediaType media = request.entity().getContentType().mediaType();
    String found = media.mainType() + "/" + media.subType();
    boolean untyped =
        media.mainType().equals("none")
            || found.equals("application/octet-stream") && request.entity().isKnownEmpty();
    if (!untyped && !found.equals(accepted)) {
      throw new MemSpaceException(
          ErrorCode.UNSUPPORTED_MEDIA_TYPE,
          "Content-Type is [%s]; accepted: %s".formatted(found, accepted),
          Map.of("field", "Content-Type", "value", found, "accepted", accepted));
    }
  }

  // ---- parsing ----

  static boolean isDigits(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  /** A past state: a revision (digits), an instant or the name of a bookmark. */
  static ReadAt past(String field, String text) {
    if (isDigits(text)) {
      return ReadAt.revision(parseRevision(field, text));
    }
    if (BOOKMARK.matcher(text).matches()) {
      return ReadAt.bookmark(text);
    }
    try {
      return ReadAt.instant(instant(field, text));
    } catch (MemSpaceException refused) {
      throw MemSpaceException.invalid(
          field, text, "a revision (digits), an %s or a bookmark's name".formatted(INSTANT));
    }
  }

  /** A revision: a whole number from 1. */
  static long parseRevision(String field, String text) {
    long value = parseNumber(field, text, "a revision, 1 or more");
    if (value < 1) {
      throw MemSpaceException.invalid(field, text, "a revision, 1 or more");
    }
    return value;
  }

  /**
   * A moment: RFC 3339; finer than a millisecond is cut off. What no timestamp of a store can hold
   * counts as the first or last one that can.
   */
  static Instant instant(String field, String text) {
    try {
      // a plus that a query's decoding has turned into a space belongs to the offset
      Instant found = OffsetDateTime.parse(text.replace(' ', '+')).toInstant();
      if (found.isBefore(Instant.EPOCH)) {
        return Instant.EPOCH;
      }
      return found.isAfter(LAST) ? LAST : found.truncatedTo(ChronoUnit.MILLIS);
    } catch (DateTimeParseException e) {
      throw MemSpaceException.invalid(field, text, "an " + INSTANT);
    }
  }

  private static boolean parseFlag(String name, String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw MemSpaceException.invalid(name, text, "true or false");
    };
  }

  private static OptionalLong number(String name, Optional<String> text) {
    return text.isPresent()
        ? OptionalLong.of(parseNumber(name, text.get(), "a whole number"))
        : OptionalLong.empty();
  }

  private static long parseNumber(String name, String text, String accepted) {
    if (!isDigits(text) || text.length() > DIGITS_MAX) {
      throw MemSpaceException.invalid(name, text, accepted);
    }
    return Long.parseLong(text);
  }

  private static long entityTag(String header, String tag) {
    String digits =
        tag.length() > 2 && tag.startsWith("\"") && tag.endsWith("\"")
            ? tag.substring(1, tag.length() - 1)
            : tag;
    return parseNumber(header, digits, "\"REVISION\", as ETag has it");
  }

  private static Map<String, String> parseQuery(String raw, Set<String> known) {
    Map<String, String> query = new LinkedHashMap<>();
    if (raw.isEmpty()) {
      return query;
    }
    for (String pair : raw.split("&")) {
      if (pair.isEmpty()) {
        continue;
      }
      int equals = pair.indexOf('=');
      String name = Percent.decode("query", equals < 0 ? pair : pair.substring(0, equals), true);
      if (!known.contains(name)) {
        String accepted = known.isEmpty() ? "none here" : String.join(", ", new TreeSet<>(known));
        throw new MemSpaceException(
            ErrorCode.INVALID_REQUEST,
            "unknown query parameter [%s]; accepted: %s".formatted(name, accepted),
            Map.of("field", name, "accepted", accepted));
      }
      String value = equals < 0 ? "" : Percent.decode(name, pair.substring(equals + 1), true);
      if (query.put(name, value) != null) {
        throw MemSpaceException.invalid(name, "given twice", "one value");
      }
    }
    return query;
  }
}
