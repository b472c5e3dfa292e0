package io.nucleusmem.examples.desk;

/** What became of a file: its text, or the reason why it was left out. */
sealed interface Reading {

  /** Where it lies below the folder, with {@code /} between the names. */
  String path();

  /**
   * A document.
   *
   * @param encoding as found, for people to read
   * @param bytes size of the file
   * @param hash SHA-256 of the file's bytes, 64 hexadecimal digits
   */
  record Document(String path, String text, String encoding, long bytes, String hash)
      implements Reading {}

  /** A file or folder that is no document, or cannot be read. */
  record LeftOut(String path, String reason) implements Reading {}
}
