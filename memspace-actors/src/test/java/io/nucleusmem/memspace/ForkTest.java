package io.nucleusmem.memspace;

import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.BeforeAll;

/** Forks where versions ride in the commit. */
class ForkTest extends ForkContract {
  @BeforeAll
  static void startNode() {
    start(StoreScope.ALL);
  }
}
