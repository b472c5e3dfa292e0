package io.nucleusmem.memspace;

import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.BeforeAll;

class CutOnRegionsTest extends CutContract {
  @BeforeAll
  static void start() {
    start(StoreScope.REGION);
  }
}
