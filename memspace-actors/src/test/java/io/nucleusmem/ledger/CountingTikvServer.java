package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.tikv.server.RequestKind;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.Op;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * The test server of TiKV's protocol as a process that tells what arrived, for {@code
 * scripts/bench}. Its first line is {@code pd HOST:PORT}; then it answers each line of its input
 * with one line, and ends with its input:
 *
 * <ul>
 *   <li>{@code reset}: counts from now on
 *   <li>{@code split}: cuts each ledger that was written between its log and its other rows
 *   <li>{@code counts}: {@code requests=N commits=N commit-prewrites=N prewrites=N timestamps=N
 *       raft-writes=N}, where a commit is a row of a log, however many prewrites it took
 * </ul>
 */
public final class CountingTikvServer {
  private static final int STORES = 3;
  private static final byte[] PREFIX = "nm".getBytes(StandardCharsets.US_ASCII);
  private static final int TABLE_AT = PREFIX.length + 1 + LedgerId.LENGTH;

  private final TikvTestCluster cluster;

  private CountingTikvServer(TikvTestCluster cluster) {
    this.cluster = cluster;
  }

  /** Runs until the input ends. */
  public static void main(String[] none) throws IOException {
    try (TikvTestCluster cluster = TikvTestCluster.start(STORES, 1);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      CountingTikvServer server = new CountingTikvServer(cluster);
      PrintStream out = System.out;
      out.println("pd " + cluster.pdAddresses());
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        out.println(server.answer(line));
      }
    }
  }

  private String answer(String line) {
    switch (line) {
      case "reset":
        cluster.requests().reset();
        return "ok";
      case "split":
        commits().stream()
            .map(prewrite -> logRow(prewrite).substring(0, TABLE_AT).toByteArray())
            .map(Bytes::wrap)
            .distinct()
            .forEach(this::split);
        return "ok";
      case "counts":
        return counts();
      default:
        return "what? reset, split or counts";
    }
  }

  private String counts() {
    List<PrewriteRequest> commits = commits();
    long distinct = commits.stream().map(PrewriteRequest::getStartVersion).distinct().count();
    int requests = Arrays.stream(RequestKind.values()).mapToInt(cluster.requests()::count).sum();
    return "requests=%d commits=%d commit-prewrites=%d prewrites=%d timestamps=%d raft-writes=%d"
        .formatted(
            requests,
            distinct,
            commits.size(),
            cluster.requests().count(RequestKind.PREWRITE),
            cluster.requests().count(RequestKind.TSO),
            cluster.requests().writes());
  }

  private List<PrewriteRequest> commits() {
    return cluster.requests().received(RequestKind.PREWRITE, PrewriteRequest.class).stream()
        .filter(prewrite -> !logRow(prewrite).isEmpty())
        .toList();
  }

  /** The key of the log row that a request inserts; empty if there is none. */
  private static ByteString logRow(PrewriteRequest prewrite) {
    return prewrite.getMutationsList().stream()
        .filter(mutation -> mutation.getOp() == Op.Insert)
        .map(Mutation::getKey)
        .filter(key -> key.size() > TABLE_AT && key.byteAt(TABLE_AT) == 'L')
        .findFirst()
        .orElse(ByteString.EMPTY);
  }

  private void split(Bytes ledger) {
    for (byte table : new byte[] {'L', 'L' + 1}) {
      byte[] at = ledger.concat(Bytes.wrap(new byte[] {table})).toArray();
      if (!cluster.beginsRegion(at)) {
        cluster.split(at);
      }
    }
  }
}
