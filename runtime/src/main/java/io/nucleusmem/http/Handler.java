package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import java.util.concurrent.CompletionStage;

/** Answers one call. A refusal may be thrown or be the stage's failure. Must not block. */
@FunctionalInterface
interface Handler {
  CompletionStage<HttpResponse> handle(Call call);
}
