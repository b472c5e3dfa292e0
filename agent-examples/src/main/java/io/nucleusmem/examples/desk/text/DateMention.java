package io.nucleusmem.examples.desk.text;

/**
 * A date that a text names.
 *
 * @param written as it stands in the text
 * @param iso {@code 2026-11-23}, or {@code 2026-11} for a month; empty where it cannot be told, as
 *     in 03/04/2026
 */
public record DateMention(String written, String iso) {}
