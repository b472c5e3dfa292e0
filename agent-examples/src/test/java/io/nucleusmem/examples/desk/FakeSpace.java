package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.TopicInfo;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A space in a map, for tests that kill its user at every single call: it dies at the n-th one,
 * before the call has its effect or after it, and forgets claims as a lease that runs out does.
 */
final class FakeSpace implements MountedSpace {

  /** A message as it was published. */
  record Said(String topic, Content content, Optional<String> to) {}

  /** Stands for the death of the process. */
  static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private final TreeMap<EntryKey, Entry> entries = new TreeMap<>();
  private final Map<EntryKey, Long> claims = new HashMap<>();
  final List<Entry> versions = new ArrayList<>();
  final Map<String, Said> messages = new LinkedHashMap<>(); // by request id
  private long revision;
  private int callsLeft = Integer.MAX_VALUE;
  private boolean afterEffect;
  private Runnable beforeWrite = () -> {};

  /** Lets so many calls succeed, then kills. */
  void killAfter(int calls, boolean withEffect) {
    callsLeft = calls;
    afterEffect = withEffect;
  }

  /** Lets something happen right before the next write. */
  void beforeNextWrite(Runnable action) {
    beforeWrite = action;
  }

  /** What a restart after all leases have run out finds. */
  void restart() {
    callsLeft = Integer.MAX_VALUE;
    claims.clear();
  }

  List<EntryKey> keys() {
    return List.copyOf(entries.keySet());
  }

  private <T> CompletionStage<T> call(Supplier<T> effect) {
    if (callsLeft == 0 && !afterEffect) {
      throw new Killed();
    }
    CompletableFuture<T> answer;
    try {
      answer = CompletableFuture.completedFuture(effect.get());
    } catch (MemSpaceException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    if (callsLeft-- == 0) {
      throw new Killed();
    }
    return answer;
  }

  @Override
  public CompletionStage<Written> write(List<Operation> operations, WriteOptions options) {
    Runnable before = beforeWrite;
    beforeWrite = () -> {};
    before.run();
    return call(
        () -> {
          for (int i = 0; i < operations.size(); i++) {
            check(i, operations.get(i));
          }
          revision++;
          for (Operation operation : operations) {
            if (operation instanceof Operation.Put put) {
              apply(put.key(), put.content(), false);
            } else if (operation instanceof Operation.Delete delete) {
              apply(delete.key(), Content.text(""), true);
              claims.remove(delete.key());
            }
          }
          return new Written(revision, revision, List.of(), false);
        });
  }

  private void check(int index, Operation operation) {
    EntryKey key = operation.key();
    long at = entries.containsKey(key) ? entries.get(key).revision() : 0;
    if (operation.ifRevision().isPresent() && operation.ifRevision().getAsLong() != at) {
      throw new RevisionMismatchException(
          index, key, operation.ifRevision().getAsLong(), at, entries.get(key));
    }
    Long token = claims.get(key);
    if (operation.claim().isPresent()
        && (token == null || token != operation.claim().getAsLong())) {
      throw new MemSpaceException(ErrorCode.CLAIM_LOST, key + " is not claimed any more");
    }
    if (!(operation instanceof Operation.Check) && token != null && operation.claim().isEmpty()) {
      throw new MemSpaceException(ErrorCode.CLAIMED, key + " is claimed");
    }
    if (operation instanceof Operation.Delete && at == 0) {
      throw new MemSpaceException(ErrorCode.ENTRY_NOT_FOUND, "no " + key);
    }
  }

  private void apply(EntryKey key, Content content, boolean deleted) {
    var entry =
        new Entry(key, revision, revision, "test", content, content.value().length(), deleted);
    versions.add(entry);
    if (deleted) {
      entries.remove(key);
    } else {
      entries.put(key, entry);
    }
  }

  @Override
  public CompletionStage<Optional<Entry>> get(EntryKey key, ReadAt at) {
    return call(() -> Optional.ofNullable(entries.get(key)));
  }

  @Override
  public CompletionStage<Paged<Entry>> scan(ScanRequest request) {
    return call(
        () -> {
          List<Entry> found =
              entries.values().stream()
                  .filter(entry -> entry.key().region() == request.region())
                  .filter(entry -> entry.key().name().startsWith(request.prefix()))
                  .toList();
          return new Paged<>(found, revision, Optional.empty());
        });
  }

  @Override
  public CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max) {
    return call(
        () ->
            entries.values().stream()
                .filter(entry -> entry.key().region() == prefix.region())
                .filter(entry -> entry.key().name().startsWith(prefix.name()))
                .filter(entry -> !claims.containsKey(entry.key()))
                .limit(max)
                .map(
                    entry -> {
                      claims.put(entry.key(), ++revision);
                      return new Claim(entry, revision, Instant.MAX);
                    })
                .toList());
  }

  @Override
  public CompletionStage<Claim> renew(EntryKey key, long token, Duration lease) {
    return call(
        () -> {
          if (claims.getOrDefault(key, 0L) != token) {
            throw new MemSpaceException(ErrorCode.CLAIM_LOST, key + " is not claimed any more");
          }
          return new Claim(entries.get(key), token, Instant.MAX);
        });
  }

  @Override
  public MountInfo mount() {
    return new MountInfo(
        "mount", "desk", "test", Access.READ_WRITE, Set.of(), List.of(), Set.of(), "test", false);
  }

  @Override
  public long seen() {
    return revision;
  }

  @Override
  public CompletionStage<Optional<Entry>> pull(EntryKey key, long at) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Paged<Entry>> history(EntryKey key, int limit, Optional<String> cursor) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> release(EntryKey key, long token) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler) {
    throw new UnsupportedOperationException();
  }

  /** A topic that can be published to, and no more. */
  @Override
  public MountedTopic topic(String name) {
    return (MountedTopic)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {MountedTopic.class},
            (proxy, method, arguments) -> {
              if (!method.getName().equals("publish") || arguments.length != 3) {
                throw new UnsupportedOperationException(method.toString());
              }
              String id = ((WriteOptions) arguments[2]).requestId().orElseThrow();
              var message =
                  new Said(
                      name,
                      (Content) arguments[0],
                      ((Optional<?>) arguments[1]).map(Object::toString));
              return call(
                  () -> {
                    Said before = messages.putIfAbsent(id, message);
                    assertThat(before).as("one id, one message").isIn(null, message);
                    return new Published(id, messages.size(), messages.size(), before != null);
                  });
            });
  }

  @Override
  public CompletionStage<TopicInfo> createTopic(String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor) {
    throw new UnsupportedOperationException();
  }
}
