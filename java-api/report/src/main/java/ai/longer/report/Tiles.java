package ai.longer.report;

import java.util.List;

/**
 * A row of headline figures.
 *
 * @param tiles at least one
 */
public record Tiles(List<Tile> tiles) implements Block {
  /**
   * One figure.
   *
   * @param value the figure, already formatted
   * @param label what it is
   * @param note how to read it, may be empty
   */
  public record Tile(String value, String label, String note) {}

  /** Keeps an unmodifiable copy. */
  public Tiles {
    tiles = List.copyOf(tiles);
    if (tiles.isEmpty()) {
      throw new IllegalArgumentException("[report] tiles must not be empty");
    }
  }

  @Override
  public String toHtml() {
    StringBuilder html = new StringBuilder("<div class=\"tiles\">\n");
    for (Tile tile : tiles) {
      html.append(
          "<div class=\"tile\"><span class=\"label\">%s</span><b>%s</b><small>%s</small></div>\n"
              .formatted(
                  Html.escape(tile.label()), Html.escape(tile.value()), Html.escape(tile.note())));
    }
    return html.append("</div>\n").toString();
  }
}
