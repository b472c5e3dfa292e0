package io.nucleusmem.examples.desk.text;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Reads text without marks. A heading is a line underlined with at least three of the same sign
 * ({@code =} level 1, others level 2), or a short line of capitals between empty lines; an empty
 * line ends a paragraph.
 */
final class PlainOutline {

  private static final int HEADING_CHARS_MAX = 100;
  private static final Pattern UNDERLINE = Pattern.compile("\\s{0,3}([=~^\"*#+-])\\1{2,}\\s*");
  private static final Pattern ITEM = Pattern.compile("\\s*(?:[-*+•]|\\d{1,3}[.)])\\s+(.*)");

  private final List<Heading> headings = new ArrayList<>();
  private final List<String> prose = new ArrayList<>();
  private final List<String> items = new ArrayList<>();
  private final StringBuilder block = new StringBuilder();
  private boolean inItem;

  private PlainOutline() {}

  static Outline read(String text) {
    var outline = new PlainOutline();
    outline.readLines(text.lines().toList());
    return new Outline(outline.headings, outline.prose, outline.items, List.of(), List.of());
  }

  private void readLines(List<String> lines) {
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      String next = i + 1 < lines.size() ? lines.get(i + 1) : "";
      var item = ITEM.matcher(lines.get(i));
      if (line.isEmpty()) {
        endBlock();
      } else if (block.isEmpty() && isTitle(line) && UNDERLINE.matcher(next).matches()) {
        headings.add(new Heading(next.strip().startsWith("=") ? 1 : 2, line));
        i++;
      } else if (block.isEmpty() && next.isBlank() && isTitle(line) && isAllCapitals(line)) {
        headings.add(new Heading(2, line));
      } else if (item.matches()) {
        endBlock();
        inItem = true;
        block.append(item.group(1).strip());
      } else if (!UNDERLINE.matcher(line).matches()) {
        block.append(block.isEmpty() ? "" : " ").append(line);
      }
    }
    endBlock();
  }

  private void endBlock() {
    if (!block.isEmpty()) {
      (inItem ? items : prose).add(block.toString());
      block.setLength(0);
    }
    inItem = false;
  }

  private static boolean isTitle(String line) {
    return line.length() <= HEADING_CHARS_MAX && line.chars().anyMatch(Character::isLetter);
  }

  private static boolean isAllCapitals(String line) {
    return line.chars().filter(Character::isLetter).count() >= 3
        && line.chars().noneMatch(Character::isLowerCase);
  }
}
