package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.routing.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FoldsTest {
  @Test
  void eachExampleIsLeftOutOnceAndItsRoutesOthersStay() {
    List<Route> routes =
        IntStream.range(0, 7)
            .mapToObj(
                r ->
                    Given.route(
                        "r" + r,
                        "",
                        IntStream.range(0, 4).mapToObj(e -> r + "/" + e).toArray(String[]::new)))
            .toList();

    List<Folds.Fold> folds = Folds.of(routes);

    assertThat(folds).hasSize(4);
    assertThat(folds.stream().flatMap(fold -> fold.leftOut().stream()).map(Folds.LeftOut::text))
        .containsExactlyInAnyOrderElementsOf(
            routes.stream().flatMap(route -> route.examples().stream()).toList());
    for (Folds.Fold fold : folds) {
      for (Folds.LeftOut left : fold.leftOut()) {
        String route = "r" + left.text().charAt(0);
        var kept = fold.routes().stream().filter(r -> r.name().equals(route)).findFirst();
        if (left.truth().isEmpty()) {
          assertThat(kept).as("left out as a whole: %s", left).isEmpty();
        } else {
          assertThat(left.truth()).contains(route);
          assertThat(kept.orElseThrow().examples()).hasSize(3).doesNotContain(left.text());
        }
      }
    }
    assertThat(folds.stream().flatMap(fold -> fold.leftOut().stream()).map(Folds.LeftOut::truth))
        .contains(Optional.empty());
  }

  @Test
  void aRouteKeepsItsOnlyExampleUnlessItHasADescription() {
    List<Folds.Fold> folds =
        Folds.of(List.of(Given.route("a", "", "one"), Given.route("b", "Bees", "two")));

    assertThat(folds).hasSize(1);
    assertThat(folds.get(0).leftOut()).containsExactly(new Folds.LeftOut("two", Optional.of("b")));
    assertThat(folds.get(0).routes().get(0).examples()).containsExactly("one");
  }

  @Test
  void moreExamplesThanFoldsAreLeftOutInGroups() {
    String[] examples = IntStream.range(0, 35).mapToObj(e -> "e" + e).toArray(String[]::new);

    List<Folds.Fold> folds = Folds.of(List.of(Given.route("a", "", examples)));

    assertThat(folds).hasSize(10);
    var seen = new ArrayList<String>();
    folds.forEach(fold -> fold.leftOut().forEach(left -> seen.add(left.text())));
    assertThat(seen).containsExactlyInAnyOrder(examples);
  }

  @Test
  void nothingComesOfNothing() {
    assertThat(Folds.of(List.of())).isEmpty();
    assertThat(Folds.of(List.of(Given.route("a", "only described")))).isEmpty();
  }
}
