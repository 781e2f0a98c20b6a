package ai.longer.report;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jetbrains.letsPlot.commons.geometry.DoubleVector;
import org.jetbrains.letsPlot.core.util.PlotSvgExportCommon;

/** A Lets-Plot specification under construction and its way to an inline SVG. */
final class Plot {
  private static final String FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif";
  private static final Pattern SIZE = Pattern.compile("width=\"([\\d.]+)\" height=\"([\\d.]+)\"");
  private static final Pattern RULE = Pattern.compile("#\\w+ \\.([\\w-]+) \\{[^}]*}\\s*");
  private static final Pattern ID = Pattern.compile(" id=\"(\\w+)\"");

  private final List<Map<String, Object>> layers = new ArrayList<>();
  private final List<Map<String, Object>> scales = new ArrayList<>();
  private final Map<String, Object> spec = new HashMap<>();
  private final Map<String, Object> theme = new HashMap<>();

  Plot(String xTitle, String yTitle) {
    spec.put("kind", "plot");
    spec.put("mapping", Map.of());
    spec.put("data", Map.of());
    Map<String, Object> text = text(Palette.MUTED, 13);
    theme.put("name", "none");
    for (String blank :
        List.of(
            "plot_background",
            "panel_background",
            "panel_border",
            "panel_grid_minor",
            "panel_grid_major_x",
            "axis_ticks",
            "axis_line_y",
            "legend_background",
            "legend_title",
            "axis_tooltip")) {
      theme.put(blank, Map.of("name", "blank", "blank", true));
    }
    theme.put("line", line(Palette.RULE, 1));
    theme.put("panel_grid_major_y", line(Palette.RULE, 1));
    theme.put("axis_line_x", line(Palette.NEUTRAL, 1));
    theme.put("text", text);
    theme.put("axis_text", text);
    Map<String, Object> level = new HashMap<>(text);
    level.put("angle", 0.0);
    theme.put("axis_text_x", level);
    theme.put("axis_title", text);
    theme.put("legend_text", text(Palette.INK, 13));
    theme.put("legend_position", "top");
    theme.put("legend_justification", List.of(0.0, 1.0));
    theme.put("legend_direction", "horizontal");
    spec.put("ggtitle", Map.of());
    axisTitle("x", xTitle);
    axisTitle("y", yTitle);
  }

  /** Adds marks: a geometry, its data columns, which column is which aesthetic, and constants. */
  Plot layer(
      String geom, Map<String, ?> data, Map<String, String> mapping, Map<String, ?> constants) {
    Map<String, Object> layer = new HashMap<>(constants);
    layer.put("geom", geom);
    layer.put("data", new HashMap<>(data));
    layer.put("mapping", new HashMap<>(mapping));
    layer.put("tooltips", "none");
    layers.add(layer);
    return this;
  }

  /**
   * Colours the series named, in this order, which is also the legend's; the last {@code muted} of
   * them stay in the background.
   */
  Plot seriesColours(List<String> names, int muted) {
    List<String> colours = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      Palette colour = i < names.size() - muted ? Palette.series(i) : Palette.NEUTRAL;
      colours.add(colour.hex());
    }
    for (String aesthetic : List.of("color", "fill")) {
      scales.add(
          new HashMap<>(
              Map.of(
                  "aesthetic",
                  aesthetic,
                  "discrete",
                  true,
                  "name",
                  "",
                  "breaks",
                  names,
                  "limits",
                  names,
                  "values",
                  colours)));
    }
    if (names.size() < 2) {
      withoutLegend();
    }
    return this;
  }

  Plot withoutLegend() {
    theme.put("legend_position", "none");
    return this;
  }

  /** Leaves out grid and axis lines, where every mark carries its value. */
  Plot withoutGrid() {
    theme.put("panel_grid_major_y", Map.of("name", "blank", "blank", true));
    theme.put("axis_line_x", Map.of("name", "blank", "blank", true));
    return this;
  }

  /** Sets an axis: any of {@code limits}, {@code breaks}, {@code labels}, {@code format}, … */
  Plot axis(String aesthetic, Map<String, ?> options) {
    for (Map<String, Object> scale : scales) {
      if (aesthetic.equals(scale.get("aesthetic"))) {
        scale.putAll(options);
      }
    }
    return this;
  }

  /** Swaps the axes: categories of x run up the page. */
  Plot flipped() {
    spec.put("coord", Map.of("name", "flip"));
    return this;
  }

  /**
   * Draws the plot, {@code width} × {@code height} CSS pixels before it is scaled to its column.
   */
  String render(int width, int height, String description) {
    spec.put("layers", layers);
    spec.put("scales", scales);
    spec.put("theme", theme);
    String svg =
        PlotSvgExportCommon.INSTANCE.buildSvgImageFromRawSpecs(
            spec,
            new DoubleVector(width, height),
            (w, h, pixels) -> {
              throw new UnsupportedOperationException("[report] charts hold no bitmaps");
            },
            true);
    return tidy(svg, description);
  }

  private void axisTitle(String aesthetic, String title) {
    scales.add(new HashMap<>(Map.of("aesthetic", aesthetic, "name", title)));
    if (title.isEmpty()) {
      theme.put("axis_title_" + aesthetic, Map.of("name", "blank", "blank", true));
    }
  }

  private static Map<String, Object> line(Palette colour, double size) {
    return Map.of("name", "line", "blank", false, "color", colour.hex(), "size", size);
  }

  private static Map<String, Object> text(Palette colour, int size) {
    return Map.of(
        "name", "text", "blank", false, "color", colour.hex(), "size", size, "family", FONT);
  }

  /**
   * Scales with the page, follows its colours, and is the same text for the same data: the
   * renderer's random ids are numbered from a hash of the description.
   */
  private static String tidy(String drawn, String description) {
    String svg =
        SIZE.matcher(drawn)
            .replaceFirst(
                "viewBox=\"0 0 $1 $2\" width=\"$1\" height=\"$2\" role=\"img\" aria-label=\""
                    + Matcher.quoteReplacement(Html.escape(description))
                    + "\"");
    svg = RULE.matcher(svg).replaceAll(m -> m.group(1).contains("tooltip") ? "" : "$0");
    svg = svg.replaceAll("\\s*-?\\w*-?user-select: none;", "");
    svg = svg.replace("fill=\"rgb(255,255,255)\"", "fill=\"none\""); // behind the legend's keys
    String prefix = "c" + Integer.toHexString(description.hashCode() & 0xffffff) + "-";
    Matcher ids = ID.matcher(svg);
    List<String> found = new ArrayList<>();
    while (ids.find()) {
      if (!found.contains(ids.group(1))) {
        found.add(ids.group(1));
      }
    }
    for (int i = 0; i < found.size(); i++) {
      svg = svg.replaceAll("\\b" + found.get(i) + "\\b", prefix + i);
    }
    for (Palette colour : Palette.values()) {
      svg = colour.asVariable(svg);
    }
    return svg.strip();
  }
}
