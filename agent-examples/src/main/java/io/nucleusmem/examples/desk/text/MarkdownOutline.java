package io.nucleusmem.examples.desk.text;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.HardLineBreak;
import org.commonmark.node.Image;
import org.commonmark.node.ListItem;
import org.commonmark.node.Node;
import org.commonmark.node.Paragraph;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;

/**
 * Reads Markdown (CommonMark, ATX and setext headings). Code blocks and HTML are left out, a block
 * of YAML at the start too; tables, which CommonMark takes for paragraphs, are told by their rule.
 */
final class MarkdownOutline extends AbstractVisitor {

  private static final Pattern FRONT_MATTER =
      Pattern.compile("\\A---[ \\t]*\\R(?:.*\\R)*?(?:---|\\.\\.\\.)[ \\t]*(?:\\R|\\z)");
  private static final Pattern TABLE_RULE =
      Pattern.compile("(?m)^ *\\|?(?: *:?-+:? *\\|)+ *(?::?-+:?)? *$");

  private final List<Heading> headings = new ArrayList<>();
  private final List<String> prose = new ArrayList<>();
  private final List<String> items = new ArrayList<>();
  private final List<String> rows = new ArrayList<>();
  private final List<Link> links = new ArrayList<>();

  private MarkdownOutline() {}

  static Outline read(String text) {
    var visitor = new MarkdownOutline();
    Parser.builder().build().parse(withoutFrontMatter(text)).accept(visitor);
    return new Outline(visitor.headings, visitor.prose, visitor.items, visitor.rows, visitor.links);
  }

  /** The pattern is tried only where it can fit: on a long text it would be slow to fail. */
  private static String withoutFrontMatter(String text) {
    if (!text.startsWith("---")) {
      return text;
    }
    var head = FRONT_MATTER.matcher(text.substring(0, Math.min(text.length(), 4_096)));
    return head.find() ? text.substring(head.end()) : text;
  }

  @Override
  public void visit(org.commonmark.node.Heading heading) {
    String title = oneLine(heading);
    if (!title.isEmpty()) {
      headings.add(new Heading(heading.getLevel(), title));
    }
    visitChildren(heading);
  }

  @Override
  public void visit(Paragraph paragraph) {
    String plain = plain(paragraph);
    if (TABLE_RULE.matcher(plain).find()) {
      plain
          .lines()
          .filter(line -> !TABLE_RULE.matcher(line).matches())
          .map(line -> line.replace('|', ' ').strip())
          .forEach(rows::add);
    } else if (paragraph.getParent() instanceof ListItem) {
      items.add(flat(plain));
    } else {
      prose.add(flat(plain));
    }
    visitChildren(paragraph);
  }

  @Override
  public void visit(org.commonmark.node.Link link) {
    String target = link.getDestination().strip();
    if (!target.isEmpty()) {
      String words = oneLine(link);
      links.add(new Link(words.isEmpty() ? target : words, target));
    }
  }

  private static String oneLine(Node node) {
    return flat(plain(node));
  }

  private static String flat(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  /** The words below a node, without marks; line breaks are kept for the tables' sake. */
  private static String plain(Node node) {
    var words = new StringBuilder();
    node.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Text text) {
            words.append(text.getLiteral());
          }

          @Override
          public void visit(Code code) {
            words.append(code.getLiteral());
          }

          @Override
          public void visit(SoftLineBreak lineBreak) {
            words.append('\n');
          }

          @Override
          public void visit(HardLineBreak lineBreak) {
            words.append('\n');
          }

          @Override
          public void visit(Image image) {
            // its words describe a picture that is not here
          }
        });
    return words.toString();
  }
}
