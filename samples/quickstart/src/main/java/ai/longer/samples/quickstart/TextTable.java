package ai.longer.samples.quickstart;

import java.util.ArrayList;
import java.util.List;

/** A table for the console: the first column to the left, the others to the right. */
final class TextTable {
  private final List<String[]> rows = new ArrayList<>();
  private final boolean[] toLeft;

  /** Headings that start with {@code <} make columns aligned to the left. */
  TextTable(String... headings) {
    toLeft = new boolean[headings.length];
    String[] shown = headings.clone();
    for (int c = 0; c < headings.length; c++) {
      toLeft[c] = headings[c].startsWith("<");
      shown[c] = toLeft[c] ? headings[c].substring(1) : headings[c];
    }
    rows.add(shown);
  }

  TextTable row(String... cells) {
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
