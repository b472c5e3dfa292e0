package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store that turns what a careful ledger sends into what a careless one would have sent. */
abstract class Mutant implements KvStore {
  final KvStore store;

  Mutant(KvStore store) {
    this.store = store;
  }

  /** Log rows keyed by their last revision. */
  static final class KeyedByLast extends Mutant {
    private final Map<Bytes, Bytes> lastOf = new HashMap<>(); // first's key -> last's key

    KeyedByLast(KvStore store) {
      super(store);
    }

    @Override
    public CompletionStage<Void> commit(WriteBatch batch) {
      WriteBatch.Builder other = WriteBatch.at(batch.timestamp());
      for (WriteBatch.Op op : batch.ops()) {
        if (op instanceof WriteBatch.Insert insert && insert.key().at(17) == 'L') {
          LogRow row = LogRow.decode(LedgerKeys.firstOf(insert.key()), insert.value());
          LedgerId id = new LedgerId(insert.key().slice(1, 17));
          Bytes key = LedgerKeys.log(id, row.last());
          lastOf.put(insert.key(), key);
          other.insert(key, insert.value());
        } else if (op instanceof WriteBatch.Require require) {
          other.require(lastOf.getOrDefault(require.key(), require.key()));
        } else {
          copy(op, other);
        }
      }
      return store.commit(other.build());
    }
  }

  /** No require of the row before. */
  static final class NoRequire extends Mutant {
    NoRequire(KvStore store) {
      super(store);
    }

    @Override
    public CompletionStage<Void> commit(WriteBatch batch) {
      WriteBatch.Builder other = WriteBatch.at(batch.timestamp());
      for (WriteBatch.Op op : batch.ops()) {
        if (!(op instanceof WriteBatch.Require)) {
          copy(op, other);
        }
      }
      return store.commit(other.build());
    }
  }

  /** What is written behind the log is not fenced. */
  static final class IndexWithoutFence extends Mutant {
    IndexWithoutFence(KvStore store) {
      super(store);
    }

    @Override
    public CompletionStage<Void> commit(WriteBatch batch) {
      WriteBatch.Builder other = WriteBatch.at(batch.timestamp());
      for (WriteBatch.Op op : batch.ops()) {
        if (op.key().at(17) != 'I') {
          copy(op, other);
        } else if (op instanceof WriteBatch.Insert insert) {
          other.put(insert.key(), insert.value());
        } else if (op instanceof WriteBatch.Delete delete) {
          other.delete(delete.key());
        }
      }
      return store.commit(other.build());
    }
  }

  /** What is sent again has other content. */
  static final class ResendsOtherContent extends Mutant {
    private final Map<Long, Integer> sent = new HashMap<>();

    ResendsOtherContent(KvStore store) {
      super(store);
    }

    @Override
    public CompletionStage<Void> commit(WriteBatch batch) {
      if (sent.merge(batch.timestamp(), 1, Integer::sum) == 1) {
        return store.commit(batch);
      }
      WriteBatch.Builder other = WriteBatch.at(batch.timestamp());
      batch.ops().forEach(op -> copy(op, other));
      other.put(Bytes.utf8("newly queued"), Bytes.EMPTY);
      return store.commit(other.build());
    }
  }

  /** The answer does not wait for the store's. */
  static final class AnswersBeforeSettled extends Mutant {
    AnswersBeforeSettled(KvStore store) {
      super(store);
    }

    @Override
    public CompletionStage<Void> commit(WriteBatch batch) {
      store.commit(batch);
      return CompletableFuture.completedStage(null);
    }
  }

  /**
   * After a lost answer the row is looked for; if it is not there, the commit is taken as not done.
   */
  static final class AbsentIsNotDone extends Mutant {
    private static final Bytes NOBODYS_ROW =
        new LogRow(1, 0, 0, List.of(new LogRecord("nobody", null, List.of()))).encode(false);

    AbsentIsNotDone(KvStore store) {
      super(store);
    }

    @Override
    public CompletionStage<Void> commit(WriteBatch batch) {
      CompletableFuture<Void> result = new CompletableFuture<>();
      store
          .commit(batch)
          .whenComplete(
              (done, failure) -> {
                Bytes key = batch.ops().get(0).key();
                boolean absent = store.get(key).toCompletableFuture().join().isEmpty();
                if (failure instanceof UndeterminedCommitException && absent) {
                  result.completeExceptionally(RefusedCommitException.exists(key, NOBODYS_ROW));
                } else if (failure != null) {
                  result.completeExceptionally(failure);
                } else {
                  result.complete(null);
                }
              });
      return result;
    }
  }

  static void copy(WriteBatch.Op op, WriteBatch.Builder to) {
    if (op instanceof WriteBatch.Insert insert) {
      to.insert(insert.key(), insert.value());
    } else if (op instanceof WriteBatch.Require require) {
      to.require(require.key());
    } else if (op instanceof WriteBatch.Put put) {
      to.put(put.key(), put.value());
    } else {
      to.delete(op.key());
    }
  }

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return store.get(key);
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return store.getAll(keys);
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return store.scan(range, limit, direction);
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return store.scanFloor(range, revision, limit, direction);
  }

  @Override
  public CompletionStage<Long> now() {
    return store.now();
  }

  @Override
  public StoreScope scope() {
    return store.scope();
  }

  @Override
  public CompletionStage<Void> ping() {
    return store.ping();
  }

  @Override
  public void close() {
    store.close();
  }
}
