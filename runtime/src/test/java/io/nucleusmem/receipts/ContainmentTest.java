package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.typed.Cluster;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Retention;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.SpaceInfo;
import io.nucleusmem.memspace.SpaceKind;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.KvStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** G10: what a bad version has led to is found, over several agents. */
@Timeout(120)
class ContainmentTest {
  private static final Principal AUTHOR = Principal.of("author");

  private static final Principal BEN = Principal.of("ben");
  private static final Principal ROOT = new Principal("root", true);

  sealed interface Msg {}

  record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  record Got(Optional<Entry> entry, Throwable failure) implements Msg {}

  static final AgentType<Msg> TYPE = AgentType.of("copier", Msg.class, ContainmentTest::create);

  /** Copies what is below one prefix of the desk to below another. */
  static Behavior<Msg> create(AgentContext<Msg> ctx) {
    String from = ctx.config().get("from");
    String to = ctx.config().get("to");
    String source = ctx.config().getOrDefault("source", "desk");
    String target = ctx.config().getOrDefault("target", "desk");
    ctx.watch("all", source, WatchRequest.of(Region.MEMORY, from).from(1), Changed::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              Signal signal = changed.signal().what();
              ctx.pipe(ctx.space(source).pull(signal.key(), signal.revision()), Got::new);
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              Entry entry = got.entry().orElseThrow();
              ctx.space(target)
                  .put(
                      EntryKey.of(to + entry.key().name().substring(from.length())),
                      Content.text(entry.text()));
              return Behaviors.same();
            })
        .build();
  }

  private AgentTestKit kit;
  private Receipts receipts;

  @BeforeEach
  void start() {
    AgentMount desk = AgentMount.of("desk", Access.READ_WRITE);
    kit = AgentTestKit.start(TYPE, Map.of("from", "a/", "to", "b/"), desk);
    kit.await(
        kit.agents()
            .spawn(
                AUTHOR,
                AgentSpec.of("copier", "second", desk).config(Map.of("from", "b/", "to", "c/"))));
    kit.await(
        kit.agents()
            .spawn(
                AUTHOR,
                AgentSpec.of("copier", "apart", desk).config(Map.of("from", "x/", "to", "y/"))));
    receipts = ReceiptsClient.of(kit.system());
  }

  @AfterEach
  void end() {
    kit.close();
  }

  private Containment containment(String key, long revision, int derived) {
    return kit.until(
        "a containment",
        () -> receipts.containment(AUTHOR, "desk", SeenVersion.entry(Region.MEMORY, key, revision)),
        found -> found.derived().size() >= derived);
  }

  @Test
  void whatTheReadersWroteAndWhoReadThatIsFoundAndNothingBesides() {
    kit.put("desk", "a/before", "good");
    kit.entries("desk", EntryKey.of("c/"), 1);
    kit.put("desk", "x/other", "apart");
    kit.entries("desk", EntryKey.of("y/"), 1);
    long bad = kit.put("desk", "a/bad", "wrong").revision();
    kit.entries("desk", EntryKey.of("c/"), 2);

    Containment found = containment("a/bad", bad, 2);
    assertThat(found.readers())
        .extracting(Containment.Reader::agent)
        .containsExactlyInAnyOrder("copier", "second");
    assertThat(found.derived())
        .extracting(each -> each.version().version().key())
        .containsExactly("b/bad", "c/bad");
    assertThat(found.derived())
        .extracting(Containment.Derived::agent)
        .containsExactly("copier", "second");
    assertThat(found.edges())
        .extracting(
            edge ->
                edge.agent()
                    + (edge.wrote() ? " wrote " : " read ")
                    + edge.version().version().key())
        .containsExactlyInAnyOrder(
            "copier read a/bad", "copier wrote b/bad", "second read b/bad", "second wrote c/bad");
    assertThat(found.complete()).isTrue();
  }

  @Test
  void g9ContainmentTellsNothingOfWhatTheCallersMountDoesNotCover() {
    MemSpaces spaces = NucleusMem.get(kit.system()).spaces();
    CreatedSpace bens =
        kit.await(spaces.create(BEN, CreateSpace.shared("bens"), WriteOptions.DEFAULT));
    kit.await(
        spaces.create(
            AUTHOR,
            new CreateSpace(
                "vault", SpaceKind.PRIVATE, Optional.empty(), Map.of(), Retention.KEEP_ALL),
            WriteOptions.DEFAULT));
    kit.await(
        spaces.mount(
            ROOT,
            "vault",
            new MountRequest(BEN.name(), Access.READ_ONLY, Set.of(), List.of("shown/"), Set.of())));
    kit.await(
        kit.agents()
            .spawn(
                ROOT,
                AgentSpec.of(
                        "copier",
                        "across",
                        AgentMount.of("bens", Access.READ_WRITE),
                        AgentMount.of("vault", Access.READ_WRITE))
                    .config(
                        Map.of(
                            "source", "bens", "target", "vault", "from", "a/", "to", "secret/"))));
    MountedSpace writer = kit.await(spaces.open(BEN, bens.mount().id()));
    long bad = kit.await(writer.put(EntryKey.of("a/x"), Content.text("wrong"))).revision();
    SeenVersion version = SeenVersion.entry(Region.MEMORY, "a/x", bad);
    kit.until(
        "a containment",
        () -> receipts.containment(ROOT, "bens", version),
        found -> !found.derived().isEmpty());

    Containment found = kit.await(receipts.containment(BEN, "bens", version));
    assertThat(found.readers()).extracting(Containment.Reader::agent).containsExactly("across");
    assertThat(found.derived()).isEmpty();
    assertThat(found.edges()).allMatch(edge -> edge.version().space().equals("bens"));
    assertThat(found.complete()).isFalse();
  }

  @Test
  void g9NobodyMountsTheSpaceOfInboxesForHimself() {
    MemSpaces spaces = NucleusMem.get(kit.system()).spaces();
    assertThatThrownBy(
            () ->
                kit.await(
                    spaces.mount(BEN, "agents", MountRequest.of(BEN.name(), Access.READ_WRITE))))
        .isInstanceOf(MemSpaceException.class);
    assertThat(kit.await(spaces.list(BEN, Optional.empty(), 100, Optional.empty())).items())
        .extracting(SpaceInfo::name)
        .doesNotContain("agents");
  }

  /** A node that was killed had recorded what its agent got, and not what it wrote then. */
  @Test
  void g10WhatAKilledNodeDidNotRecordIsFoundInTheLogsOfTheSpaces() {
    MemSpaces spaces = NucleusMem.get(kit.system()).spaces();
    KvStore store = StoreExtension.get(kit.system()).store();
    Principal ghost = Principal.of("agent/ghost");
    MountInfo mount =
        kit.await(spaces.mount(AUTHOR, "desk", MountRequest.of(ghost.name(), Access.READ_WRITE)))
            .mount();
    long bad = kit.put("desk", "z/bad", "wrong").revision();
    ReceiptLog log =
        kit.await(
            ReceiptLog.open(
                store,
                ReceiptSettings.from(kit.system().settings().config()),
                "gone",
                () -> false,
                Runnable::run));
    LifeLog life =
        log.begin(
            "ghost",
            Began.of(
                AUTHOR.name(),
                "copier",
                Map.of(),
                List.of(Began.Mounted.of("desk", mount.id(), "read_write"))));
    SeenVersion version = SeenVersion.entry(Region.MEMORY, "z/bad", bad);
    kit.await(life.input(How.SIGNAL, "desk", mount.id(), "desk/w", 0, List.of(version)));
    MountedSpace desk = kit.await(spaces.open(ghost, mount.id()));
    kit.await(desk.put(EntryKey.of("q/came-of-it"), Content.text("wrong too")));
    kit.await(desk.topic("news").publish(Content.text("wrong as well")));

    Containment alive = kit.await(receipts.containment(AUTHOR, "desk", version));
    assertThat(alive.derived())
        .extracting(each -> each.version().version().key())
        .containsExactlyInAnyOrder("q/came-of-it", "news");
    kit.await(
        new DeadLogs(store)
            .end(Set.of(Cluster.get(kit.system()).selfMember().address().toString())));
    kit.await(desk.put(EntryKey.of("q/of-a-later-life"), Content.text("nobody's")));

    Containment dead = kit.await(receipts.containment(AUTHOR, "desk", version));
    assertThat(dead.derived())
        .extracting(each -> each.version().version().key())
        .containsExactlyInAnyOrder("q/came-of-it", "news");
    assertThat(dead.complete()).isTrue();
  }

  @Test
  void versionThatNobodyGotHasLedToNothing() {
    long alone = kit.put("desk", "z", "unread").revision();
    Containment found = containment("z", alone, 0);
    assertThat(found.readers()).isEmpty();
    assertThat(found.derived()).isEmpty();
    for (long unknown : new long[] {0, alone + 1_000}) {
      assertThatThrownBy(() -> containment("z", unknown, 0)).isInstanceOf(MemSpaceException.class);
    }
  }
}
