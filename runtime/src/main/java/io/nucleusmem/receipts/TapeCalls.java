package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What one life had got from outside, and has not been given again yet. */
final class TapeCalls {
  private final List<LogRecord.Called> calls = new ArrayList<>();

  void add(LogRecord.Called call) {
    calls.add(call);
  }

  /** Leaves away what came of some inputs. */
  void removeIf(LongPredicate during) {
    calls.removeIf(call -> during.test(call.during()));
  }

  /** What they came of. */
  Stream<Long> during() {
    return calls.stream().map(LogRecord.Called::during);
  }

  /** The first of one kind, name and request that is of an input, else of another that may be. */
  Optional<LogRecord.Called> find(
      String kind, String name, Bytes request, long input, LongPredicate otherwise) {
    Predicate<LogRecord.Called> fits =
        it -> it.kind().equals(kind) && it.name().equals(name) && it.request().equals(request);
    return calls.stream()
        .filter(it -> it.during() == input && fits.test(it))
        .findFirst()
        .or(
            () ->
                calls.stream()
                    .filter(it -> otherwise.test(it.during()) && fits.test(it))
                    .findFirst());
  }

  /** The same; it is not found again. */
  Optional<LogRecord.Called> take(
      String kind, String name, Bytes request, long input, LongPredicate otherwise) {
    Optional<LogRecord.Called> found = find(kind, name, request, input, otherwise);
    found.ifPresent(calls::remove);
    return found;
  }
}
