package io.nucleusmem.memspace;

import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.BeforeAll;

/** Flattening where versions ride in the commit. */
class FlattenTest extends FlattenContract {
  @BeforeAll
  static void startNode() {
    start(StoreScope.ALL);
  }
}
