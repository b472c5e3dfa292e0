package io.nucleusmem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.persistence.TestNode;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreException;
import java.lang.reflect.Proxy;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class StoreExtensionTest {
  private final AtomicInteger closes = new AtomicInteger();
  private final AtomicReference<String> closer = new AtomicReference<>();

  @Test
  void aGivenStoreIsTheOneAllGet() {
    KvStore store = store();
    try (var node = TestNode.start(StoreSetup.borrowed(store))) {
      assertThat(StoreExtension.get(node.system()).store()).isSameAs(store);
      assertThat(StoreExtension.get(node.kit().system()).store()).isSameAs(store);
    }
  }

  @Test
  void aStoreThatTheSystemOpenedIsClosedOnceAndOffTheActorThreads() {
    try (var node = TestNode.start(StoreSetup.opened(executor -> store()))) {
      StoreExtension.get(node.system());
      assertThat(closes).hasValue(0);
    }
    assertThat(closes).hasValue(1);
    assertThat(closer).hasValue("nucleusmem-store-close");
  }

  @Test
  void aSystemThatEndsWithoutCoordinatedShutdownClosesItsStoreToo() throws Exception {
    var node =
        TestNode.start(
            StoreSetup.opened(executor -> store()),
            "akka.coordinated-shutdown.run-by-actor-system-terminate = off");
    StoreExtension.get(node.system());
    node.system().terminate();
    node.system().getWhenTerminated().toCompletableFuture().get(120, TimeUnit.SECONDS);
    assertThat(closes).hasValue(1);
  }

  @Test
  void aBorrowedStoreIsLeftOpen() {
    try (var node = TestNode.start(StoreSetup.borrowed(store()))) {
      StoreExtension.get(node.system());
    }
    assertThat(closes).hasValue(0);
  }

  @Test
  void anEngineThatDoesNotExistIsNamedWithThoseThatDo() {
    try (var node = TestNode.start("nucleusmem.store.engine = granite")) {
      assertThatThrownBy(() -> StoreExtension.get(node.system()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("nucleusmem.store.engine is [granite]; it must be one of [");
    }
  }

  @Test
  void aStoreThatDoesNotOpenStopsTheStartWithItsReason() {
    assertThatThrownBy(
            () ->
                TestNode.start(
                    StoreSetup.opened(
                        executor -> {
                          throw new StoreException("the directory is locked");
                        }),
                    "akka.extensions = [\"io.nucleusmem.StoreExtension$Id\"]",
                    "akka.loglevel = OFF"))
        .isInstanceOf(StoreException.class)
        .hasMessage("the directory is locked");
  }

  private KvStore store() {
    return (KvStore)
        Proxy.newProxyInstance(
            KvStore.class.getClassLoader(),
            new Class<?>[] {KvStore.class},
            (proxy, method, args) -> {
              if (method.getName().equals("close")) {
                closes.incrementAndGet();
                closer.set(Thread.currentThread().getName());
              }
              return null;
            });
  }
}
