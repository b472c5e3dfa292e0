package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.memspace.MemSpaceException;
import org.junit.jupiter.api.Test;

class RouteTableTest {
  private final RouteTable table =
      new RouteTable()
          .add("GET", "/v1/spaces", call -> null)
          .add("POST", "/v1/spaces", call -> null)
          .add("GET", "/v1/spaces/{space}", call -> null)
          .add("GET", "/v1/spaces/{space}/entries", call -> null)
          .add("PUT", "/v1/spaces/{space}/entries/{key...}", call -> null)
          .add("POST", "/v1/spaces/{space}/claims/renew", call -> null);

  private String find(String method, String path) {
    RouteTable.Match match = table.find(method, path);
    return match.route().template() + " " + match.values();
  }

  @Test
  void parametersMatchOneSegmentAndTheLastTheRest() {
    assertThat(find("GET", "/v1/spaces")).isEqualTo("/v1/spaces []");
    assertThat(find("GET", "/v1/spaces/a%2Fb")).isEqualTo("/v1/spaces/{space} [a%2Fb]");
    assertThat(find("PUT", "/v1/spaces/s/entries/a//b/"))
        .isEqualTo("/v1/spaces/{space}/entries/{key...} [s, a//b/]");
    assertThat(find("GET", "/v1/spaces/s/entries")).isEqualTo("/v1/spaces/{space}/entries [s]");
    assertThat(find("HEAD", "/v1/spaces")).isEqualTo("/v1/spaces []");
  }

  @Test
  void whatIsNotThereIs404AndAnotherMethod405() {
    assertThatThrownBy(() -> find("GET", "/v1/spaces/s/claims"))
        .isInstanceOfSatisfying(
            MemSpaceException.class, e -> assertThat(e.code().label()).isEqualTo("not_found"));
    assertThatThrownBy(() -> find("GET", "/v1/spaces/"))
        .isInstanceOfSatisfying(
            MemSpaceException.class, e -> assertThat(e.code().label()).isEqualTo("not_found"));
    assertThatThrownBy(() -> find("DELETE", "/v1/spaces"))
        .isInstanceOfSatisfying(
            MemSpaceException.class,
            e -> {
              assertThat(e.code().label()).isEqualTo("method_not_allowed");
              assertThat(e.details().get("accepted")).isEqualTo("GET, POST");
            });
  }

  @Test
  void oneCallHasOneRoute() {
    assertThatThrownBy(() -> table.add("GET", "/v1/spaces", call -> null))
        .isInstanceOf(IllegalStateException.class);
  }
}
