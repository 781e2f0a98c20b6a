package ai.longer.report;

import java.util.ArrayList;
import java.util.List;

/** A table for the console, in plain text. Not safe for use by several threads. */
public final class TextTable {
  private final List<String[]> rows = new ArrayList<>();
  private final boolean[] toLeft;

  /**
   * Starts a table; a heading that starts with {@code <} aligns its column to the left, others
   * align to the right.
   */
  public TextTable(String... headings) {
    toLeft = new boolean[headings.length];
    String[] shown = headings.clone();
    for (int c = 0; c < headings.length; c++) {
      toLeft[c] = headings[c].startsWith("<");
      shown[c] = toLeft[c] ? headings[c].substring(1) : headings[c];
    }
    rows.add(shown);
  }

  /**
   * Adds a row.
   *
   * @throws IllegalArgumentException unless there is one cell per heading
   */
  public TextTable row(String... cells) {
    if (cells.length != toLeft.length) {
      throw new IllegalArgumentException(
          "[table] a row needs %d cells; got %d".formatted(toLeft.length, cells.length));
    }
    rows.add(cells);
    return this;
  }

  @Override
  public String toString() {
    int[] widths = new int[toLeft.length];
    for (String[] row : rows) {
      for (int c = 0; c < row.length; c++) {
        widths[c] = Math.max(widths[c], row[c].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder(" ");
      for (int c = 0; c < row.length; c++) {
        String fill = " ".repeat(widths[c] - row[c].length());
        line.append(' ').append(toLeft[c] ? row[c] + fill : fill + row[c]).append(' ');
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
