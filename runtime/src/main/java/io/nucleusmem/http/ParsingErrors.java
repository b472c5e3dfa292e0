package io.nucleusmem.http;

import akka.event.LoggingAdapter;
import akka.http.ParsingErrorHandler;
import akka.http.javadsl.model.HttpResponse;
import akka.http.scaladsl.model.ErrorInfo;
import akka.http.scaladsl.model.StatusCode;
import akka.http.scaladsl.settings.ServerSettings;
import io.nucleusmem.memspace.ErrorCode;
import java.util.Map;

/**
 * Answers requests that are so malformed that no handler sees them. Named in {@code
 * akka.http.server.parsing.error-handler}, which is why it is public.
 */
public final class ParsingErrors extends ParsingErrorHandler {
  private static final int TOO_LARGE = 413;
  private static final int NOT_IMPLEMENTED = 501;

  @Override
  public HttpResponse handle(
      StatusCode status, ErrorInfo error, LoggingAdapter log, ServerSettings settings) {
    log.debug("malformed request, answered [{}]: {}", status.intValue(), error.formatPretty());
    ErrorCode code =
        switch (status.intValue()) {
          case TOO_LARGE -> ErrorCode.TOO_LARGE;
          case NOT_IMPLEMENTED -> ErrorCode.METHOD_NOT_ALLOWED;
          default -> ErrorCode.INVALID_REQUEST;
        };
    int answered = code == ErrorCode.METHOD_NOT_ALLOWED ? code.status() : status.intValue();
    return Problem.of(answered, code.label(), error.summary(), Map.of());
  }
}
