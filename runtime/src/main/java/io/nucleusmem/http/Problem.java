package io.nucleusmem.http;

import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.StatusCodes;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.RevisionMismatchException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refusals and failures as {@code application/problem+json} (RFC 9457), always with a {@code code}.
 * A failure that nobody foresaw is logged once with its cause, and answered with the id of that log
 * line and no more.
 */
final class Problem {
  private static final Logger LOG = LoggerFactory.getLogger(Problem.class);
  private static final ContentType TYPE = ContentTypes.parse("application/problem+json");
  private static final int RETRY_AFTER_MS_DEFAULT = 1_000;
  private static final int SHOWN_VALUE_MAX = 4_096; // bytes of a current value that a 412 carries

  private Problem() {}

  /** What to answer to a failure. */
  static HttpResponse of(Throwable failure) {
    return of(explain(failure));
  }

  /** What to answer to a refusal. */
  static HttpResponse of(MemSpaceException refusal) {
    ErrorCode code = refusal.code();
    HttpResponse response =
        of(code.status(), code.label(), refusal.getMessage(), detailsOf(refusal));
    if (code.retryable()) {
      long millis = retryAfterMillis(refusal);
      response =
          response.addHeader(
              Headers.of(Headers.RETRY_AFTER, Long.toString((millis + 999) / 1_000)));
    }
    if (code == ErrorCode.UNAUTHENTICATED) {
      response = response.addHeader(Headers.of("WWW-Authenticate", "Bearer"));
    }
    return response;
  }

  /** A problem with a status of its own. */
  static HttpResponse of(int status, String code, String detail, Map<String, ?> more) {
    return HttpResponse.create()
        .withStatus(StatusCodes.get(status))
        .withEntity(HttpEntities.create(TYPE, Json.write(body(status, code, detail, more))));
  }

  /** The JSON of a problem, also for the end of an event stream. */
  static Map<String, Object> body(int status, String code, String detail, Map<String, ?> more) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("type", "urn:nucleusmem:problem:" + code);
    body.put("title", title(code));
    body.put("status", status);
    body.put("code", code);
    body.put("detail", detail);
    more.forEach(body::putIfAbsent);
    return body;
  }

  /** The refusal that a failure amounts to; logs it if nobody foresaw it. */
  static MemSpaceException explain(Throwable failure) {
    Throwable cause = unwrap(failure);
    if (cause instanceof MemSpaceException known) {
      if (known.code() == ErrorCode.INTERNAL) {
        return unforeseen(known);
      }
      return known;
    }
    if (cause instanceof TimeoutException) {
      return new MemSpaceException(
          ErrorCode.UNAVAILABLE,
          "no answer in time; it is not known whether it was done, retry with the same"
              + " Idempotency-Key",
          Map.of(),
          cause);
    }
    return unforeseen(cause);
  }

  static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static MemSpaceException unforeseen(Throwable cause) {
    String id = UUID.randomUUID().toString().substring(0, 8);
    LOG.error("request failed unexpectedly, answered 500 with incident [{}]", id, cause);
    return new MemSpaceException(
        ErrorCode.INTERNAL,
        "the node failed unexpectedly; its log has the reason under incident [%s]".formatted(id),
        Map.of("incident", id));
  }

  private static Map<String, Object> detailsOf(MemSpaceException refusal) {
    Map<String, Object> details = new LinkedHashMap<>(refusal.details());
    if (refusal.code().retryable()) {
      details.putIfAbsent("retry_after_ms", retryAfterMillis(refusal));
    }
    if (refusal instanceof RevisionMismatchException mismatch) {
      mismatch
          .current()
          .filter(entry -> entry.content().value().length() <= SHOWN_VALUE_MAX)
          .ifPresent(
              entry -> {
                ValueJson value = ValueJson.of(entry.content());
                if (value.value() != null) {
                  details.put("current_value", value.value());
                } else {
                  details.put("current_value_base64", value.valueBase64());
                }
              });
    }
    return details;
  }

  private static long retryAfterMillis(MemSpaceException refusal) {
    return refusal.details().get("retry_after_ms") instanceof Number millis
        ? millis.longValue()
        : RETRY_AFTER_MS_DEFAULT;
  }

  private static String title(String code) {
    String words = code.replace('_', ' ');
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }
}
