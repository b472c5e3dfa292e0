package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.RouteMatcher;

/** Stage one where it cannot work. */
record NoMatcher(String why) implements RouteMatcher {
  @Override
  public Ranking rank(String text, int limit) {
    throw new MemSpaceException(ErrorCode.UNAVAILABLE, why);
  }
}
