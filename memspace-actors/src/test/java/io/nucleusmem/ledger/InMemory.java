package io.nucleusmem.ledger;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** A simulation's store in memory. */
final class InMemory implements SimulatedEngine {
  private final AtomicLong clock;
  private MemoryStore memory;

  InMemory(Simulation.Run run) {
    clock = run.clock();
    memory =
        new MemoryStore(
            run.plan().scope(),
            Runnable::run,
            clock::get,
            batch -> run.fault().get(),
            run.plan().resends());
  }

  @Override
  public KvStore store() {
    return memory;
  }

  @Override
  public long millis() {
    return clock.get();
  }

  @Override
  public List<Held> held() {
    return memory.held().stream().<Held>map(InMemory::of).toList();
  }

  private static Held of(MemoryStore.Held held) {
    return new Held() {
      @Override
      public void release() {
        held.release();
      }

      @Override
      public void drop() {
        held.drop();
      }
    };
  }

  @Override
  public List<IllegalStateException> violations() {
    return memory.violations();
  }

  @Override
  public void crash(int landed) {
    memory = memory.crash(landed);
  }

  @Override
  public void close() {
    // nothing outlives it
  }
}
