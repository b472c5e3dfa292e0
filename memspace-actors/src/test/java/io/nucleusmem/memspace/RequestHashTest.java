package io.nucleusmem.memspace;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** G4: what is told apart under one request id, on whatever node it is asked for again. */
class RequestHashTest {
  @Test
  void g4MetadataInAnotherOrderAreTheSameRequest() {
    // Map.copyOf has another order in each process
    Map<String, String> there = new LinkedHashMap<>();
    there.put("a", "1");
    there.put("b", "2");
    Map<String, String> here = new LinkedHashMap<>();
    here.put("b", "2");
    here.put("a", "1");
    assertThat(Limits.hash("x", here)).isEqualTo(Limits.hash("x", there));
    assertThat(Limits.hash("x", Map.of("a", "1"))).isNotEqualTo(Limits.hash("x", there));
  }
}
