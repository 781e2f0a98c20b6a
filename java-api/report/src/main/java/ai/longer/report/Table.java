package ai.longer.report;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A table of text and figures. The first column is left-aligned, figures are right-aligned.
 *
 * <p>Made by {@link #builder}; immutable.
 */
public final class Table implements Block {
  private final List<Column> columns;
  private final List<List<String>> rows;
  private final Set<Integer> strong;
  private final String caption;

  private Table(Builder builder) {
    columns = List.copyOf(builder.columns);
    rows = List.copyOf(builder.rows);
    strong = Set.copyOf(builder.strong);
    caption = builder.caption;
  }

  private record Column(String heading, boolean isFigure) {}

  /** Starts a table. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public String toHtml() {
    StringBuilder html = new StringBuilder("<div class=\"scroll\"><table>\n");
    if (!caption.isEmpty()) {
      html.append("<caption>").append(Html.escape(caption)).append("</caption>\n");
    }
    html.append("<thead><tr>");
    for (Column column : columns) {
      html.append(column.isFigure() ? "<th class=\"figure\">" : "<th>")
          .append(Html.escape(column.heading()))
          .append("</th>");
    }
    html.append("</tr></thead>\n<tbody>\n");
    for (int r = 0; r < rows.size(); r++) {
      html.append(strong.contains(r) ? "<tr class=\"strong\">" : "<tr>");
      for (int c = 0; c < columns.size(); c++) {
        html.append(columns.get(c).isFigure() ? "<td class=\"figure\">" : "<td>")
            .append(Html.escape(rows.get(r).get(c)))
            .append("</td>");
      }
      html.append("</tr>\n");
    }
    return html.append("</tbody></table></div>\n").toString();
  }

  /** Collects columns, then rows. */
  public static final class Builder {
    private final List<Column> columns = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();
    private final Set<Integer> strong = new HashSet<>();
    private String caption = "";

    private Builder() {}

    /** Adds left-aligned columns. */
    public Builder text(String... headings) {
      for (String heading : headings) {
        columns.add(new Column(heading, false));
      }
      return this;
    }

    /** Adds right-aligned columns of figures. */
    public Builder figures(String... headings) {
      for (String heading : headings) {
        columns.add(new Column(heading, true));
      }
      return this;
    }

    /**
     * Adds a row.
     *
     * @throws IllegalArgumentException if it has not one cell for each column
     */
    public Builder row(String... cells) {
      if (cells.length != columns.size()) {
        throw new IllegalArgumentException(
            "[report] row %d must have %d cells; got %d"
                .formatted(rows.size(), columns.size(), cells.length));
      }
      rows.add(List.of(cells));
      return this;
    }

    /** Adds a row that stands out. */
    public Builder strongRow(String... cells) {
      row(cells);
      strong.add(rows.size() - 1);
      return this;
    }

    /** Sets the line above the table. */
    public Builder caption(String text) {
      caption = text;
      return this;
    }

    /** Returns the table. */
    public Table build() {
      return new Table(this);
    }
  }
}
