package io.nucleusmem.examples.desk.text;

/**
 * A heading of a document.
 *
 * @param level 1 (the outermost) to 6
 * @param text without its marks, on one line
 */
public record Heading(int level, String text) {}
