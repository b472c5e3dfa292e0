package io.nucleusmem.routing.llm;

/** Makes foreign text fit to be shown to a model. */
final class Texts {
  private Texts() {}

  /**
   * The text without what neither shows nor means anything: control characters, lone surrogates and
   * invisible format characters, in which orders to a model can be hidden from people. Joiners
   * stay, since several scripts need them.
   */
  static String visible(String text) {
    var visible = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              switch (Character.getType(c)) {
                case Character.CONTROL -> visible.append(c == '\n' || c == '\t' ? (char) c : ' ');
                case Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE ->
                    visible.append('\uFFFD');
                case Character.FORMAT -> {
                  if (c == 0x200C || c == 0x200D) {
                    visible.appendCodePoint(c);
                  }
                }
                default -> visible.appendCodePoint(c);
              }
            });
    return visible.toString().strip();
  }

  /** At most so many chars from the beginning; never half a surrogate pair. */
  static String head(String text, int charsMax) {
    if (text.length() <= charsMax) {
      return text;
    }
    boolean splits = charsMax > 0 && Character.isHighSurrogate(text.charAt(charsMax - 1));
    return text.substring(0, splits ? charsMax - 1 : charsMax);
  }

  /** At most so many chars from the end; never half a surrogate pair. */
  static String tail(String text, int charsMax) {
    if (text.length() <= charsMax) {
      return text;
    }
    int from = text.length() - charsMax;
    return text.substring(Character.isLowSurrogate(text.charAt(from)) ? from + 1 : from);
  }

  /**
   * About how many tokens a model makes of it: four chars of ASCII each, one for any other char. On
   * the high side for most languages.
   */
  static int tokens(String text) {
    long ascii = text.chars().filter(c -> c < 128).count();
    return (int) (ascii / 4 + (text.length() - ascii) + 1);
  }
}
