package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Hands every call on to another store. */
abstract class ForwardingStore implements KvStore {
  private final KvStore store;

  ForwardingStore(KvStore store) {
    this.store = store;
  }

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    return store.commit(batch);
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
