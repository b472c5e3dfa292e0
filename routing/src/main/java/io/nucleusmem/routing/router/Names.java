package io.nucleusmem.routing.router;

import java.util.regex.Pattern;

/** Names as the contract has them. */
final class Names {
  static final String ACCEPTED = "1 to 128 of [A-Za-z0-9._-], not starting with a dot";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");

  private Names() {}

  static boolean isName(String name) {
    return name != null && NAME.matcher(name).matches();
  }
}
