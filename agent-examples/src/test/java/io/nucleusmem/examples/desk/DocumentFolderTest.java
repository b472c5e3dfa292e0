package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.examples.desk.DocumentFolder.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DocumentFolderTest {

  @TempDir Path folder;

  @BeforeEach
  void makeAFolderOfEverything() throws IOException {
    for (String name :
        new String[] {
          "a.md",
          "README",
          "sub/b.TXT",
          "sub/deep/c.markdown",
          "photo.png",
          ".hidden.md",
          ".git/d.md",
          "target/e.md",
          "sub/node_modules/f.md"
        }) {
      Path file = folder.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, "some words");
    }
  }

  @Test
  void findsDocumentsInFoldersBelowAndNamesWhatItLeavesOut() throws IOException {
    DocumentFolder.Listing listing = DocumentFolder.list(folder, Kind.TEXT, Set.of());
    assertThat(listing.documents())
        .containsExactly("README", "a.md", "sub/b.TXT", "sub/deep/c.markdown");
    assertThat(listing.leftOut())
        .containsExactly(
            new Reading.LeftOut(".git", "hidden folder"),
            new Reading.LeftOut(".hidden.md", "hidden file"),
            new Reading.LeftOut("photo.png", "neither Markdown nor text by its name"),
            new Reading.LeftOut("sub/node_modules", "build output"),
            new Reading.LeftOut("target", "build output"));
  }

  @Test
  void amongSourcesOnlyMarkdownCountsAndNothingElseIsMentioned() throws IOException {
    DocumentFolder.Listing listing = DocumentFolder.list(folder, Kind.MARKDOWN, Set.of());
    assertThat(listing.documents()).containsExactly("a.md", "sub/deep/c.markdown");
    assertThat(listing.leftOut()).extracting(Reading.LeftOut::path).containsExactly(".hidden.md");
  }

  @Test
  void linksToFilesAreReadAndLinksToFoldersAndToThemselvesAreNot() throws IOException {
    Files.createSymbolicLink(folder.resolve("sub/loop"), folder);
    Files.createSymbolicLink(folder.resolve("self.md"), Path.of("self.md"));
    Files.createSymbolicLink(folder.resolve("dangling.md"), Path.of("nowhere.md"));
    Files.createSymbolicLink(folder.resolve("link.md"), Path.of("a.md"));

    DocumentFolder.Listing listing = DocumentFolder.list(folder, Kind.TEXT, Set.of());
    assertThat(listing.documents()).contains("link.md").hasSize(5);
    assertThat(listing.leftOut())
        .contains(
            new Reading.LeftOut("dangling.md", "link that leads nowhere, or round in a circle"),
            new Reading.LeftOut("self.md", "link that leads nowhere, or round in a circle"),
            new Reading.LeftOut("sub/loop", "link to a folder: not followed"));
  }

  @Test
  void theDesksOwnFilesAreNeitherReadNorMentioned() throws IOException {
    DocumentFolder.Listing listing =
        DocumentFolder.list(
            folder, Kind.TEXT, Set.of(folder.resolve("a.md"), folder.resolve("sub")));
    assertThat(listing.documents()).containsExactly("README");
    assertThat(listing.leftOut()).noneMatch(file -> file.path().startsWith("sub"));
  }

  @Test
  void aFolderThatIsNotThereFails() {
    assertThatThrownBy(() -> DocumentFolder.list(folder.resolve("gone"), Kind.TEXT, Set.of()))
        .isInstanceOf(NoSuchFileException.class);
  }
}
