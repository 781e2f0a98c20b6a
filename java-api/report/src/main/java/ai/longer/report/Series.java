package ai.longer.report;

import java.util.List;

/**
 * A named line of a chart.
 *
 * @param name shown in the legend
 * @param points in drawing order, at least one
 */
public record Series(String name, List<Point> points) {
  /** A point in data coordinates. */
  public record Point(double x, double y) {}

  /**
   * Keeps an unmodifiable copy.
   *
   * @throws IllegalArgumentException if there is no point or a coordinate is not finite
   */
  public Series {
    points = List.copyOf(points);
    if (points.isEmpty()) {
      throw new IllegalArgumentException("[report] series '" + name + "' has no points");
    }
    for (Point point : points) {
      if (!Double.isFinite(point.x()) || !Double.isFinite(point.y())) {
        throw new IllegalArgumentException(
            "[report] series '%s' has the point (%s, %s), which is not finite"
                .formatted(name, point.x(), point.y()));
      }
    }
  }
}
