package io.nucleusmem.memspace;

import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.BeforeAll;

/** Flattening where versions are written behind the log. */
class FlattenOnRegionsTest extends FlattenContract {
  @BeforeAll
  static void startNode() {
    start(StoreScope.REGION);
  }
}
