package io.nucleusmem.http;

import akka.Done;
import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorSystem;
import akka.http.javadsl.Http;
import akka.http.javadsl.ServerBinding;
import akka.http.javadsl.model.HttpMethods;
import akka.http.javadsl.model.HttpRequest;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.TimeoutAccess;
import akka.http.javadsl.settings.ServerSettings;
import akka.stream.Materializer;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.receipts.ReceiptsClient;
import io.nucleusmem.routing.Routing;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import scala.jdk.javaapi.DurationConverters;

/**
 * The HTTP endpoint of a node: what the contract answers under {@code /v1}.
 *
 * <p>Stops in the phases of coordinated shutdown: it takes no more connections ({@code
 * service-unbind}), ends event streams and waiting pulls, and lets the other requests finish
 * ({@code service-requests-done}, at most {@code drain-timeout}); the actors and the store stop
 * after that.
 */
public final class HttpEndpoint {
  private static final String RAW_URI = "Raw-Request-URI";

  private final ServerBinding binding;
  private final RouteTable table;

  private HttpEndpoint(ServerBinding binding, RouteTable table) {
    this.binding = binding;
    this.table = table;
  }

  /**
   * Binds.
   *
   * @return fails with {@code akka.stream.impl.io.BindFailedException} where the address is taken
   */
  public static CompletionStage<HttpEndpoint> start(
      ActorSystem<?> system,
      HttpSettings settings,
      MemSpaces spaces,
      Agents agents,
      Routing routing,
      NodeStatus status) {
    Materializer materializer = Materializer.createMaterializer(system);
    Bodies bodies =
        new Bodies(
            materializer,
            settings.bodyBytesMax(),
            settings.jsonBytesMax(),
            settings.drainBytesMax());
    Callers callers = new Callers(spaces, settings);
    Replays replays = new Replays(settings);
    EventStreams streams =
        new EventStreams(materializer, settings.streamsMax(), settings.progressInterval());
    Waits waits = new Waits();

    RouteTable table = new RouteTable();
    new SpaceRoutes(spaces, callers, replays).addTo(table);
    new ForkRoutes(spaces.forks(), callers, replays).addTo(table);
    new DiffRoutes(spaces, callers, replays).addTo(table);
    new AsOfRoutes(spaces, agents, routing.routes()).addTo(table);
    new EntryRoutes(callers).addTo(table);
    new BatchRoutes(callers).addTo(table);
    new ClaimRoutes(callers, replays).addTo(table);
    new WatchRoutes(callers, streams).addTo(table);
    new TopicRoutes(callers, replays, streams, settings.pullWaitMax(), waits).addTo(table);
    new MountRoutes(spaces, callers, replays).addTo(table);
    new AgentRoutes(agents, callers, replays).addTo(table);
    new ReceiptRoutes(ReceiptsClient.of(system), agents.reruns(), replays).addTo(table);
    new RoutingRoutes(routing, replays).addTo(table);
    new MessageRoutes(agents, routing, callers).addTo(table);
    new DecisionRoutes(routing).addTo(table);
    new NodeRoutes(status).addTo(table);
    NucleusMem memory = NucleusMem.get(system);
    new OperationRoutes(memory.operations()).addTo(table);
    new KeepingRoutes(memory.keeping(), callers, replays).addTo(table);
    new TransferRoutes(memory.keeping(), callers, materializer).addTo(table);

    Dispatch dispatch = new Dispatch(table, callers, bodies);
    return Http.get(system)
        .newServerAt(settings.host(), settings.port())
        .withMaterializer(materializer)
        .withSettings(serverSettings(system, settings))
        .bind(dispatch::answer)
        .thenApply(
            binding -> {
              CoordinatedShutdown shutdown = CoordinatedShutdown.get(system);
              shutdown.addTask(
                  CoordinatedShutdown.PhaseServiceUnbind(),
                  "nucleusmem-http-waiting",
                  () -> {
                    streams.stop();
                    waits.stop();
                    return CompletableFuture.completedFuture(Done.getInstance());
                  });
              binding.addToCoordinatedShutdown(settings.drainTimeout(), system);
              return new HttpEndpoint(binding, table);
            });
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return binding.localAddress();
  }

  RouteTable table() {
    return table;
  }

  private static ServerSettings serverSettings(ActorSystem<?> system, HttpSettings settings) {
    ServerSettings byDefault = ServerSettings.create(system.settings().config());
    return byDefault
        .withMaxConnections(settings.connectionsMax())
        .withTimeouts(
            byDefault
                .getTimeouts()
                .withRequestTimeout(DurationConverters.toScala(settings.requestTimeout()))
                .withIdleTimeout(
                    DurationConverters.toScala(settings.requestTimeout().plusSeconds(30))));
  }

  /** From a request to its route, and from every failure to a problem. */
  private record Dispatch(RouteTable table, Callers callers, Bodies bodies) {

    CompletionStage<HttpResponse> answer(HttpRequest request) {
      request.getHeader(TimeoutAccess.class).ifPresent(Dispatch::answerTimeouts);
      CompletionStage<HttpResponse> answer;
      try {
        answer = route(request);
      } catch (RuntimeException e) {
        answer = CompletableFuture.failedStage(e);
      }
      return answer
          .handle(
              (response, failure) ->
                  failure == null
                      ? CompletableFuture.completedStage(response)
                      // an answer that overtakes the body would close the connection
                      : bodies.discard(request).thenApply(done -> problem(failure)))
          .thenCompose(Function.identity());
    }

    private CompletionStage<HttpResponse> route(HttpRequest request) {
      String target = target(request);
      int mark = target.indexOf('?');
      String path = mark < 0 ? target : target.substring(0, mark);
      RouteTable.Match match = table.find(request.method().value(), path);
      Principal principal = match.route().open() ? null : callers.authenticate(request);
      CompletionStage<HttpResponse> answer =
          match.route().handler().handle(new Call(request, match, target, principal, bodies));
      if (request.method().equals(HttpMethods.GET) || request.method().equals(HttpMethods.HEAD)) {
        return answer.thenCombine(bodies.discard(request), (response, done) -> response);
      }
      return answer;
    }

    private static HttpResponse problem(Throwable failure) {
      HttpResponse response = Problem.of(failure);
      return Problem.unwrap(failure) instanceof MemSpaceException refusal
              && refusal.code() == ErrorCode.METHOD_NOT_ALLOWED
          ? withAllow(response, refusal)
          : response;
    }

    private static HttpResponse withAllow(HttpResponse response, MemSpaceException refusal) {
      return response.addHeader(
          Headers.of("Allow", String.valueOf(refusal.details().get("accepted"))));
    }

    /** Path and query as the client sent them: Akka's own form has lost what {@code %2F} was. */
    private static String target(HttpRequest request) {
      String raw =
          request
              .getHeader(RAW_URI)
              .map(header -> header.value())
              .orElseGet(() -> request.getUri().getPathString());
      if (raw.startsWith("/")) {
        return raw;
      }
      int authority = raw.indexOf("://");
      int path = authority < 0 ? -1 : raw.indexOf('/', authority + 3);
      return path < 0 ? "/" : raw.substring(path);
    }

    private static void answerTimeouts(TimeoutAccess timeout) {
      timeout
          .timeoutAccess()
          .updateHandler(
              (HttpRequest late) ->
                  Problem.of(
                      new MemSpaceException(
                          ErrorCode.UNAVAILABLE,
                          "no answer within nucleusmem.http.request-timeout; it is not known"
                              + " whether it was done, retry with the same Idempotency-Key",
                          Map.of())));
    }
  }
}
