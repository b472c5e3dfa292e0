package io.nucleusmem.examples.helpdesk;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.node.NucleusNode;
import io.nucleusmem.routing.RoutedMessage;
import io.nucleusmem.routing.RoutingDecision;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * A help desk: tickets are addressed to nobody, the router feeds them to specialists by what they
 * mean. A specialist joins while it runs and takes its share.
 */
public final class HelpDesk implements AutoCloseable {
  private static final int WAIT_SECONDS_MAX = 120; // for any one step, the model's loading included

  static final List<String> TICKETS =
      List.of(
          "I was charged twice, can I have my money back?",
          "Where is my parcel? It should have been here on Monday.",
          "I forgot my password and cannot log in any more.",
          "The courier left the box at the wrong address.",
          "Please return the payment for the shoes that I sent back.",
          "How do I change the e-mail address of my account?");

  private final NucleusNode node;

  HelpDesk(Config config) {
    node = NucleusNode.start(config, List.of(Specialist.TYPE));
    await(
        node.spaces()
            .create(Principal.LOCAL, CreateSpace.shared(Specialist.SPACE), WriteOptions.DEFAULT));
  }

  /** Runs it on a new directory that is removed at the end. */
  public static void main(String[] args) throws IOException {
    Path dir = Files.createTempDirectory("nucleusmem-helpdesk");
    Config config =
        ConfigFactory.parseMap(
            Map.of(
                "nucleusmem.http.port",
                0,
                "nucleusmem.store.rocksdb.dir",
                dir.resolve("data").toString()));
    try (HelpDesk desk = new HelpDesk(config)) {
      desk.run(System.out);
    } finally {
      remove(dir);
    }
  }

  /** The whole run: two specialists, then a third; what each ticket's decision was. */
  List<RoutingDecision> run(PrintStream out) {
    joins(
        "refunds",
        "Refunds, double charges, returning money for goods that were sent back.",
        "I want my money back",
        "you charged my card twice",
        "when do I get the refund for my return");
    joins(
        "shipping",
        "Parcels, delivery times, couriers, wrong addresses.",
        "where is my order",
        "the package has not arrived",
        "it was delivered to the wrong house");
    out.println("Two specialists, refunds and shipping:");
    List<RoutingDecision> decisions = new ArrayList<>(take(out));
    joins(
        "accounts",
        "Passwords, logging in, changing the data of an account.",
        "I cannot log in",
        "reset my password",
        "change my e-mail address");
    out.println("A third one has joined, accounts:");
    decisions.addAll(take(out));
    return decisions;
  }

  /** Starts a specialist; returns when the router knows it. */
  private void joins(String name, String about, String... examples) {
    await(
        node.agents()
            .spawn(
                Principal.LOCAL,
                AgentSpec.of(
                        Specialist.TYPE.name(),
                        name,
                        AgentMount.of(Specialist.SPACE, Access.READ_WRITE))
                    .config(
                        Map.of(
                            Specialist.ABOUT,
                            about,
                            Specialist.EXAMPLES,
                            String.join("\n", examples)))));
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
    while (!knows(name)) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("specialist [" + name + "] has offered nothing");
      }
      Thread.onSpinWait();
    }
  }

  private boolean knows(String route) {
    return await(
        node.routing()
            .routes()
            .get(route, ReadAt.LATEST)
            .handle((found, failure) -> failure == null));
  }

  private List<RoutingDecision> take(PrintStream out) {
    List<RoutingDecision> decisions = new ArrayList<>();
    for (String ticket : TICKETS) {
      RoutingDecision decision =
          await(node.routing().route(RoutedMessage.of("customer", Content.text(ticket))))
              .decision();
      out.printf(
          "  %-12s %.2f  %s%n",
          decision.route() == null ? "(nobody)" : decision.route(), decision.score(), ticket);
      out.printf("               %s%n", decision.reason());
      decisions.add(decision);
    }
    return decisions;
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(WAIT_SECONDS_MAX, TimeUnit.SECONDS).join();
  }

  NucleusNode node() {
    return node;
  }

  @Override
  public void close() {
    node.close();
  }

  private static void remove(Path dir) throws IOException {
    try (var files = Files.walk(dir)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
