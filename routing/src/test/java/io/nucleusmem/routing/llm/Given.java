package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.Choice;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.Option;
import io.nucleusmem.routing.Target;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Routes, and answers that are waited for. */
final class Given {
  /** Best first: refunds is A, shipping is B, accounts is C. */
  static final List<Option> OPTIONS =
      List.of(
          new Option(route("refunds", "Money back", "I want my money back"), 0.8),
          new Option(route("shipping", "Parcels", "where is my parcel"), 0.7),
          new Option(route("accounts", "", "I forgot my password"), 0.5));

  private Given() {}

  static Route route(String name, String description, String... examples) {
    return new Route(name, new Target.Agent(name), description, List.of(examples), Map.of());
  }

  static Choice choice(CompletionStage<Choice> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  static ChooserException failure(CompletionStage<?> stage) throws Exception {
    Throwable failure =
        stage.handle((value, thrown) -> thrown).toCompletableFuture().get(60, TimeUnit.SECONDS);
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ChooserException told) {
      return told;
    }
    throw new AssertionError("expected a ChooserException, found " + cause, cause);
  }
}
