package ai.longer.report;

import java.util.List;

/**
 * A named line of a chart.
 *
 * @param name shown in the legend
 * @param points in drawing order, at least one
 */
public record Series(String name, List<Point> points) {
  /**
   * A point in data coordinates.
   *
   * @param lower lower bound of {@code y}; {@code y} itself where it has no bounds
   * @param upper upper bound of {@code y}
   */
  public record Point(double x, double y, double lower, double upper) {
    /** A point without bounds. */
    public Point(double x, double y) {
      this(x, y, y, y);
    }

    private boolean isFinite() {
      return Double.isFinite(x)
          && Double.isFinite(y)
          && Double.isFinite(lower)
          && Double.isFinite(upper);
    }

    @Override
    public String toString() {
      return Double.compare(lower, y) == 0 && Double.compare(upper, y) == 0
          ? "(%s, %s)".formatted(x, y)
          : "(%s, %s in %s … %s)".formatted(x, y, lower, upper);
    }
  }

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
      if (!point.isFinite()) {
        throw new IllegalArgumentException(
            "[report] series '%s' has the point %s, which is not finite".formatted(name, point));
      }
    }
  }
}
