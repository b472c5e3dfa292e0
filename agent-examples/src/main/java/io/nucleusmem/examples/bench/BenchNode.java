package io.nucleusmem.examples.bench;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.CreateSpace;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.node.NucleusNode;
import io.nucleusmem.store.KvStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** A real node on a directory of its own, and spaces on it. */
final class BenchNode implements AutoCloseable {
  static final Principal CALLER = Principal.LOCAL;

  private final NucleusNode node;

  BenchNode(Path dir, String idleTimeout) {
    this(dir, idleTimeout, Map.of(), List.of());
  }

  BenchNode(Path dir, String idleTimeout, Map<String, Object> more) {
    this(dir, idleTimeout, more, List.of());
  }

  /** A node that hosts agents. */
  BenchNode(Path dir, String idleTimeout, Map<String, Object> more, List<AgentType<?>> types) {
    node =
        NucleusNode.start(
            ConfigFactory.parseMap(more)
                .withFallback(
                    ConfigFactory.parseMap(
                        Map.of(
                            "nucleusmem.store.rocksdb.dir",
                            dir.toString(),
                            "nucleusmem.http.port",
                            0,
                            "nucleusmem.memspace.idle-timeout",
                            idleTimeout))),
            types);
  }

  MemSpaces spaces() {
    return node.spaces();
  }

  Agents agents() {
    return node.agents();
  }

  /** Where everything lies. */
  KvStore store() {
    return StoreExtension.get(node.system()).store();
  }

  NucleusMem memory() {
    return NucleusMem.get(node.system());
  }

  /** Owners of spaces and topics in memory. */
  int owners() {
    return NucleusMem.get(node.system()).system().owners();
  }

  /** A new space and a mount of it. */
  MountedSpace space() {
    CreatedSpace created =
        await(
            spaces()
                .create(
                    CALLER, CreateSpace.shared("b-" + UUID.randomUUID()), WriteOptions.DEFAULT));
    return await(spaces().open(CALLER, created.mount().id()));
  }

  static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  @Override
  public void close() {
    node.close();
  }
}
