package io.nucleusmem.memspace;

import io.nucleusmem.store.StoreScope;
import org.junit.jupiter.api.BeforeAll;

class CutTest extends CutContract {
  @BeforeAll
  static void start() {
    start(StoreScope.ALL);
  }
}
