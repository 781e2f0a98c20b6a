package ai.longer.data;

import ai.longer.Schema.Feature;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Id columns being collected by feature name. Not thread-safe. */
final class Columns {
  private final String where;
  private final List<Feature> features;
  private final long[] @Nullable [] columns;

  Columns(String where, List<Feature> features) {
    this.where = where;
    this.features = features;
    this.columns = new long[features.size()] @Nullable [];
  }

  void set(String feature, long[] ids) {
    int column = indexOf(where, features, feature);
    if (columns[column] != null) {
      throw new IllegalArgumentException(
          "[%s] column \"%s\" is set twice".formatted(where, feature));
    }
    columns[column] = ids.clone();
  }

  /** The columns in schema order, all of {@code size} rows; −1 = whatever the first one has. */
  long[][] finish(int size) {
    long[][] finished = new long[columns.length][];
    int expected = size;
    for (int i = 0; i < finished.length; i++) {
      long[] column = columns[i];
      if (column == null) {
        throw new IllegalArgumentException(
            "[%s] column \"%s\" is missing; expected %s"
                .formatted(where, features.get(i).name(), names(features)));
      }
      if (expected < 0) {
        expected = column.length;
      } else if (column.length != expected) {
        throw new IllegalArgumentException(
            "[%s] column \"%s\" must have %d rows like the others; got %d"
                .formatted(where, features.get(i).name(), expected, column.length));
      }
      finished[i] = column;
    }
    return finished;
  }

  static int indexOf(String where, List<Feature> features, String feature) {
    for (int i = 0; i < features.size(); i++) {
      if (features.get(i).name().equals(feature)) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        "[%s] the schema has no column \"%s\"; expected one of %s"
            .formatted(where, feature, names(features)));
  }

  static String names(List<Feature> features) {
    return features.stream().map(Feature::name).toList().toString();
  }

  static long[][] empty(int columns) {
    long[][] empty = new long[columns][];
    Arrays.fill(empty, new long[0]);
    return empty;
  }
}
