package io.nucleusmem.memspace;

import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.BeforeAll;

/** Forks where versions are written behind the log. */
class ForkOnRegionsTest extends ForkContract {
  @BeforeAll
  static void startNode() {
    start(StoreScope.REGION);
  }
}
