package io.nucleusmem.examples.desk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Finds the documents of a folder and of the folders below it. Hidden folders, build output and
 * links to folders are not entered, so a loop of links ends nothing and nothing is read twice.
 */
final class DocumentFolder {

  /** Which files count as documents, by name. */
  enum Kind {
    /** Markdown, plain text and names without a suffix, such as README. */
    TEXT("md", "markdown", "mdown", "mkd", "txt", "text", "rst", "adoc", ""),
    /** Markdown alone; other files are not even mentioned. */
    MARKDOWN("md", "markdown");

    private final Set<String> suffixes;

    Kind(String... suffixes) {
      this.suffixes = Set.of(suffixes);
    }

    boolean takes(String name) {
      int dot = name.lastIndexOf('.');
      return suffixes.contains(dot < 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT));
    }
  }

  /**
   * What a folder holds.
   *
   * @param documents files to be read, by path
   * @param leftOut what is not read, and why, by path
   */
  record Listing(List<String> documents, List<Reading.LeftOut> leftOut) {}

  /** More are left out: a desk is for folders that a person knows. */
  static final int DOCUMENTS_MAX = 10_000;

  /** More of them are not listed. */
  static final int LEFT_OUT_MAX = 10_000;

  /** A longer path would not fit into a key. */
  static final int PATH_BYTES_MAX = 900;

  private static final Set<String> BUILD_OUTPUT = Set.of("target", "node_modules");

  private DocumentFolder() {}

  /**
   * Lists a folder.
   *
   * @param own absolute paths of files and folders that are the desk's own: not even mentioned, or
   *     a second run would differ from the first
   * @throws IOException if the folder itself cannot be read
   */
  static Listing list(Path folder, Kind kind, Set<Path> own) throws IOException {
    var documents = new ArrayList<String>();
    var leftOut = new ArrayList<Reading.LeftOut>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            if (dir.equals(folder)) {
              return FileVisitResult.CONTINUE;
            }
            if (own.contains(dir.toAbsolutePath().normalize())) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            String name = dir.getFileName().toString();
            boolean hidden = name.startsWith(".");
            if (hidden || BUILD_OUTPUT.contains(name)) {
              leaveOut(dir, hidden ? "hidden folder" : "build output");
              return FileVisitResult.SKIP_SUBTREE;
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = file.getFileName().toString();
            if (own.contains(file.toAbsolutePath().normalize())) {
              return FileVisitResult.CONTINUE;
            }
            if (name.startsWith(".")) {
              leaveOut(file, "hidden file");
            } else if (Files.isDirectory(file)) {
              leaveOut(file, "link to a folder: not followed");
            } else if (!kind.takes(name)) {
              leaveOut(file, "neither Markdown nor text by its name");
            } else if (attributes.isSymbolicLink() && !Files.exists(file)) {
              leaveOut(file, "link that leads nowhere, or round in a circle");
            } else if (!Files.isRegularFile(file)) {
              leaveOut(file, "not a regular file");
            } else if (relative(folder, file).getBytes(StandardCharsets.UTF_8).length
                > PATH_BYTES_MAX) {
              leaveOut(file, "path longer than %d bytes".formatted(PATH_BYTES_MAX));
            } else if (documents.size() >= DOCUMENTS_MAX) {
              leaveOut(file, "one document more than the %d that fit".formatted(DOCUMENTS_MAX));
            } else {
              documents.add(relative(folder, file));
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (file.equals(folder)) {
              throw failure;
            }
            leaveOut(file, "unreadable: " + reason(failure));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, IOException failure) {
            if (failure != null) {
              leaveOut(dir, "not read to its end: " + reason(failure));
            }
            return FileVisitResult.CONTINUE;
          }

          private void leaveOut(Path path, String reason) {
            if ((kind == Kind.TEXT || kind.takes(path.getFileName().toString()))
                && leftOut.size() < LEFT_OUT_MAX) {
              leftOut.add(new Reading.LeftOut(shortened(relative(folder, path)), reason));
            }
          }
        });
    documents.sort(null);
    leftOut.sort(Comparator.comparing(Reading.LeftOut::path));
    return new Listing(List.copyOf(documents), List.copyOf(leftOut));
  }

  private static String relative(Path folder, Path file) {
    return folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
  }

  private static String shortened(String path) {
    return path.length() <= PATH_BYTES_MAX / 3
        ? path
        : path.substring(0, PATH_BYTES_MAX / 3 - 17)
            + "~"
            + DocumentFile.sha256(path.getBytes(StandardCharsets.UTF_8)).substring(0, 16);
  }

  private static String reason(IOException failure) {
    return failure instanceof AccessDeniedException
        ? "permission denied"
        : String.valueOf(failure.getMessage());
  }
}
