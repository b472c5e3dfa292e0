package io.nucleusmem.cli;

import com.typesafe.config.ConfigException;
import io.nucleusmem.node.NodeConfig;
import io.nucleusmem.node.NodeStartException;
import io.nucleusmem.node.NucleusNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs one node in the foreground until SIGTERM. Exit code 1: it could not start. */
@Command(
    name = "node",
    description = "Runs one NucleusMem node in the foreground until SIGTERM.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class NodeCommand implements Callable<Integer> {
  private static final int FAILED = 1;

  @Option(names = "--conf", paramLabel = "FILE", description = "Configuration; see conf/node.conf.")
  private Path conf;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data directory; overrides nucleusmem.store.rocksdb.dir.")
  private Path data;

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "HTTP port, 0 takes any that is free; overrides nucleusmem.http.port.")
  private Integer port;

  @Option(
      names = "--check",
      description = "Start, then stop at once: exit code 0 if a node can run so.")
  private boolean check;

  /** Runs the command; ends the JVM. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new NodeCommand()).execute(args));
  }

  @Override
  public Integer call() {
    try {
      if (conf != null && !Files.isReadable(conf)) {
        throw new NodeStartException(
            "configuration: --conf is [%s]; there is no such file that can be read".formatted(conf),
            null);
      }
      NucleusNode node =
          NucleusNode.start(NodeConfig.load(Optional.ofNullable(conf), overrides()), List.of());
      if (check) {
        node.close();
        return CommandLine.ExitCode.OK;
      }
      node.whenStopped().toCompletableFuture().join();
      if (!node.stoppedOnRequest()) {
        return fail("the node has left its cluster and cannot go on; start it again");
      }
      return CommandLine.ExitCode.OK;
    } catch (NodeStartException e) {
      return fail(e.getMessage());
    } catch (ConfigException e) {
      return fail("configuration: " + e.getMessage());
    }
  }

  private Map<String, Object> overrides() {
    Map<String, Object> overrides = new HashMap<>();
    if (data != null) {
      overrides.put("nucleusmem.store.rocksdb.dir", data.toString());
    }
    if (port != null) {
      overrides.put("nucleusmem.http.port", port);
    }
    return overrides;
  }

  private static int fail(String reason) {
    System.err.println("node: " + reason.replace('\n', ' '));
    return FAILED;
  }
}
