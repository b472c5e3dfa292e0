package io.nucleusmem.examples.desk.text;

/**
 * A link of a document.
 *
 * @param text what stands in its place; the target itself for a bare address
 * @param target as written: an address, a file or an anchor
 */
public record Link(String text, String target) {}
