package io.nucleusmem.examples.desk.text;

/**
 * A number with its unit.
 *
 * @param written both, as they stand in the text
 * @param value the number alone, without separators of thousands
 * @param unit as written, such as {@code ms} or {@code %}
 */
public record Figure(String written, String value, String unit) {}
