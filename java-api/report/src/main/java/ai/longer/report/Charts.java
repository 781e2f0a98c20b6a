package ai.longer.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The charts of a model report, each a {@link Figure}. */
public final class Charts {
  private static final int WIDTH = 860;

  /** Between series with bounds, in classes. */
  private static final double BOUNDS_APART = 0.08;

  private Charts() {}

  /**
   * Draws loss over training steps: {@code training} as thin lines, {@code validation} as lines
   * with points.
   */
  public static Figure loss(List<Series> training, List<Series> validation, String caption) {
    Plot plot = new Plot("optimizer step", "log loss");
    lines(plot, training, 1.1, false);
    lines(plot, validation, 1.8, true);
    List<String> names = new ArrayList<>(names(validation));
    names.addAll(names(training));
    return figure(plot.seriesColours(names, training.size()), 330, caption);
  }

  /** Draws one line with points for each series. */
  public static Figure lines(List<Series> series, String xTitle, String yTitle, String caption) {
    Plot plot = new Plot(xTitle, yTitle);
    lines(plot, series, 1.8, true);
    return figure(plot.seriesColours(names(series), 0), 340, caption);
  }

  /** Draws observed against predicted rates beside the diagonal of perfect calibration. */
  public static Figure calibration(List<Series> models, String caption) {
    double max = 0;
    for (Series model : models) {
      for (Series.Point point : model.points()) {
        max = Math.max(max, Math.max(point.x(), point.y()));
      }
    }
    double end = Math.min(1, Math.ceil(max * 20) / 20);
    Plot plot = new Plot("mean predicted probability", "observed rate");
    plot.layer(
        "segment",
        Map.of("x", List.of(0.0), "y", List.of(0.0), "xend", List.of(end), "yend", List.of(end)),
        Map.of("x", "x", "y", "y", "xend", "xend", "yend", "yend"),
        Map.of("color", Palette.NEUTRAL.hex(), "size", 1.0, "linetype", "dashed"));
    lines(plot, models, 1.6, true);
    return figure(plot.seriesColours(names(models), 0), 400, caption);
  }

  /**
   * Draws one value per class of history length for each model, with the bounds of those that have
   * them.
   *
   * @param classes names of the classes, short histories first; x of a point is an index into them
   */
  public static Figure byHistoryLength(
      List<String> classes, List<Series> models, String metric, String caption) {
    Plot plot = new Plot("events in the history", metric);
    List<Series> apart = apart(models);
    bounds(plot, apart);
    lines(plot, apart, 1.8, true);
    List<Double> breaks = new ArrayList<>();
    for (int i = 0; i < classes.size(); i++) {
      breaks.add((double) i);
    }
    plot.axis("x", Map.of("breaks", breaks, "labels", classes, "expand", List.of(0, 0.5)));
    return figure(plot.seriesColours(names(models), 0), 340, caption);
  }

  /**
   * Draws the attention on each event of a history, oldest to newest, as bars; the strongest are
   * numbered, strongest first, so that a table below can name them.
   *
   * @param attention share of each event, [events]
   * @param strongest indices of the events to number, strongest first
   * @throws IllegalArgumentException if there are no events
   */
  public static Figure attention(double[] attention, List<Integer> strongest, String caption) {
    if (attention.length == 0) {
      throw new IllegalArgumentException("[report] attention needs at least one event");
    }
    List<Double> event = new ArrayList<>();
    List<Double> share = new ArrayList<>();
    List<String> kind = new ArrayList<>();
    for (int i = 0; i < attention.length; i++) {
      event.add((double) i - attention.length);
      share.add(100 * attention[i]);
      kind.add(strongest.contains(i) ? "strong" : "other");
    }
    double max = Collections.max(share);
    List<Double> labelX = new ArrayList<>();
    List<Double> labelY = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    for (int rank = 0; rank < strongest.size(); rank++) {
      labelX.add(event.get(strongest.get(rank)));
      labelY.add(share.get(strongest.get(rank)));
      labels.add(Integer.toString(rank + 1));
    }
    Plot plot = new Plot("events before the request (newest at the right)", "attention, %");
    plot.layer(
        "bar",
        Map.of("x", event, "y", share, "kind", kind),
        Map.of("x", "x", "y", "y", "fill", "kind"),
        Map.of("stat", "identity", "width", attention.length > 150 ? 1.0 : 0.75, "size", 0.0));
    plot.layer(
        "text",
        Map.of("x", labelX, "y", labelY, "label", labels),
        Map.of("x", "x", "y", "y", "label", "label"),
        Map.of("color", Palette.INK.hex(), "size", 6.0, "vjust", "bottom", "nudge_y", 0.02 * max));
    plot.seriesColours(List.of("strong", "other"), 1).withoutLegend();
    plot.axis("y", Map.of("limits", List.of(0.0, 1.12 * max), "expand", List.of(0.0, 0.0)));
    return figure(plot, 300, caption);
  }

  /** Draws named amounts as horizontal bars with their values, the first on top. */
  public static Figure bars(Map<String, Double> amounts, String unit, String caption) {
    List<String> names = new ArrayList<>(amounts.keySet());
    List<Double> values = new ArrayList<>(amounts.values());
    List<String> texts =
        values.stream().map(v -> String.format(Locale.ROOT, "%.2f %s", v, unit)).toList();
    double max = Collections.max(values);
    Plot plot = new Plot("", "").withoutLegend().withoutGrid();
    Map<String, Object> data = new HashMap<>(Map.of("name", names, "value", values, "text", texts));
    List<String> upwards = new ArrayList<>(names);
    Collections.reverse(upwards);
    plot.layer(
        "bar",
        data,
        Map.of("x", "name", "y", "value"),
        Map.of("stat", "identity", "width", 0.6, "fill", Palette.BLUE.hex(), "size", 0.0));
    plot.layer(
        "text",
        data,
        Map.of("x", "name", "y", "value", "label", "text"),
        Map.of("color", Palette.INK.hex(), "size", 6.0, "hjust", "left", "nudge_y", 0.01 * max));
    plot.axis("x", Map.of("discrete", true, "limits", upwards));
    plot.axis(
        "y",
        Map.of(
            "limits", List.of(0.0, 1.15 * max), "expand", List.of(0.0, 0.0), "breaks", List.of()));
    plot.flipped();
    return figure(plot, 24 + 44 * names.size(), caption);
  }

  /** An estimate with its bounds. */
  public record Interval(double lower, double estimate, double upper) {}

  /**
   * Draws named estimates as points with their bounds, the first on top, beside a line at 0.
   *
   * @param intervals by name, at least one
   * @param title of the axis
   */
  public static Figure intervals(Map<String, Interval> intervals, String title, String caption) {
    List<String> names = new ArrayList<>(intervals.keySet());
    List<Interval> values = new ArrayList<>(intervals.values());
    List<String> upwards = new ArrayList<>(names);
    Collections.reverse(upwards);
    Map<String, Object> data =
        Map.of(
            "name", names,
            "lower", values.stream().map(Interval::lower).toList(),
            "estimate", values.stream().map(Interval::estimate).toList(),
            "upper", values.stream().map(Interval::upper).toList());
    Plot plot = new Plot("", title).withoutLegend();
    plot.layer(
        "hline",
        Map.of(),
        Map.of(),
        Map.of("yintercept", 0.0, "color", Palette.NEUTRAL.hex(), "linetype", "dashed"));
    plot.layer(
        "pointrange",
        data,
        Map.of("x", "name", "y", "estimate", "ymin", "lower", "ymax", "upper"),
        Map.of("color", Palette.BLUE.hex(), "size", 0.8));
    plot.axis("x", Map.of("discrete", true, "limits", upwards));
    plot.flipped();
    return figure(plot, 60 + 30 * names.size(), caption);
  }

  private static Figure figure(Plot plot, int height, String caption) {
    return new Figure(plot.render(WIDTH, height, caption), caption);
  }

  private static List<String> names(List<Series> series) {
    return series.stream().map(Series::name).toList();
  }

  /** Shifts series with bounds sideways, so that these do not cover each other. */
  private static List<Series> apart(List<Series> series) {
    boolean hasBounds =
        series.stream().flatMap(s -> s.points().stream()).anyMatch(Charts::isBounded);
    if (!hasBounds || series.size() < 2) {
      return series;
    }
    List<Series> apart = new ArrayList<>();
    for (int i = 0; i < series.size(); i++) {
      double shift = BOUNDS_APART * (i - (series.size() - 1) / 2.0);
      apart.add(
          new Series(
              series.get(i).name(),
              series.get(i).points().stream()
                  .map(p -> new Series.Point(p.x() + shift, p.y(), p.lower(), p.upper()))
                  .toList()));
    }
    return apart;
  }

  private static boolean isBounded(Series.Point point) {
    return point.lower() < point.upper();
  }

  private static void bounds(Plot plot, List<Series> series) {
    List<Double> x = new ArrayList<>();
    List<Double> lower = new ArrayList<>();
    List<Double> upper = new ArrayList<>();
    List<String> name = new ArrayList<>();
    for (Series one : series) {
      for (Series.Point point : one.points()) {
        if (isBounded(point)) {
          x.add(point.x());
          lower.add(point.lower());
          upper.add(point.upper());
          name.add(one.name());
        }
      }
    }
    if (!x.isEmpty()) {
      plot.layer(
          "linerange",
          Map.of("x", x, "lower", lower, "upper", upper, "name", name),
          Map.of("x", "x", "ymin", "lower", "ymax", "upper", "color", "name"),
          Map.of("size", 1.2, "alpha", 0.55, "show_legend", false));
    }
  }

  private static void lines(Plot plot, List<Series> series, double width, boolean withPoints) {
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    List<String> name = new ArrayList<>();
    for (Series one : series) {
      for (Series.Point point : one.points()) {
        x.add(point.x());
        y.add(point.y());
        name.add(one.name());
      }
    }
    if (x.isEmpty()) {
      return;
    }
    Map<String, Object> data = Map.of("x", x, "y", y, "name", name);
    Map<String, String> mapping = Map.of("x", "x", "y", "y", "color", "name");
    plot.layer("line", data, mapping, Map.of("size", width));
    if (withPoints) {
      plot.layer("point", data, mapping, Map.of("size", 3.2, "show_legend", false));
    }
  }
}
