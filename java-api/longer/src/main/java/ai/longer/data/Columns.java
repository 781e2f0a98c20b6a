package ai.longer.data;

import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Columns being collected by feature name. Not thread-safe. */
final class Columns {
  private final String where;
  private final List<Feature> features;
  private final @Nullable Column[] columns;

  Columns(String where, List<Feature> features) {
    this.where = where;
    this.features = features;
    this.columns = new @Nullable Column[features.size()];
  }

  /** One id a row; those of {@code missing} do not count. */
  void ids(String feature, long[] ids, @Nullable BitSet missing) {
    if (missing != null && missing.length() > ids.length) {
      throw problem(
          feature,
          "has %d rows; row %d cannot be missing".formatted(ids.length, missing.length() - 1));
    }
    set(
        feature,
        Kind.CATEGORICAL,
        Column.categorical(ids.clone(), missing == null ? null : (BitSet) missing.clone()));
  }

  /** One text a row, null where it is missing. */
  void texts(String feature, @Nullable String[] texts) {
    long[] ids = new long[texts.length];
    BitSet missing = new BitSet();
    for (int row = 0; row < ids.length; row++) {
      String text = texts[row];
      if (text == null) {
        missing.set(row);
      } else {
        ids[row] = StringIds.hash(text);
      }
    }
    set(feature, Kind.CATEGORICAL, Column.categorical(ids, missing));
  }

  /** The ids of row i from {@code offsets[i]} up to {@code offsets[i + 1]}. */
  void bags(String feature, long[] ids, int[] offsets) {
    if (offsets.length == 0 || offsets[0] != 0 || offsets[offsets.length - 1] != ids.length) {
      throw problem(
          feature,
          "needs offsets from 0 to the number of values, %d; got %s"
              .formatted(
                  ids.length,
                  offsets.length == 0 ? "none" : offsets[0] + " … " + offsets[offsets.length - 1]));
    }
    for (int row = 1; row < offsets.length; row++) {
      if (offsets[row] < offsets[row - 1]) {
        throw problem(
            feature,
            "needs offsets that do not descend; offset %d is %d after %d"
                .formatted(row, offsets[row], offsets[row - 1]));
      }
    }
    set(feature, Kind.MANY_VALUED, Column.manyValued(ids.clone(), offsets.clone()));
  }

  /** The ids of each row; null is a row without. */
  void bags(String feature, long[] @Nullable [] rows) {
    int[] offsets = new int[rows.length + 1];
    for (int row = 0; row < rows.length; row++) {
      long[] ids = rows[row];
      offsets[row + 1] = Math.addExact(offsets[row], ids == null ? 0 : ids.length);
    }
    long[] all = new long[offsets[rows.length]];
    for (int row = 0; row < rows.length; row++) {
      long[] ids = rows[row];
      if (ids != null) {
        System.arraycopy(ids, 0, all, offsets[row], ids.length);
      }
    }
    set(feature, Kind.MANY_VALUED, Column.manyValued(all, offsets));
  }

  /** The texts of each row; null is a row without. */
  void textBags(String feature, String[] @Nullable [] rows) {
    long[][] ids = new long[rows.length][];
    for (int row = 0; row < rows.length; row++) {
      String[] texts = rows[row];
      ids[row] = texts == null ? NO_IDS : StringIds.hashAll(texts);
    }
    bags(feature, ids);
  }

  private static final long[] NO_IDS = {};

  /** One number a row, NaN where it is missing. */
  void numbers(String feature, float[] numbers) {
    for (int row = 0; row < numbers.length; row++) {
      if (Float.isInfinite(numbers[row])) {
        throw problem(feature, "row %d must be finite or NaN; got %s".formatted(row, numbers[row]));
      }
    }
    set(feature, Kind.NUMERIC, Column.numeric(numbers.clone()));
  }

  private void set(String feature, Kind kind, Column column) {
    int index = indexOf(where, features, feature);
    if (features.get(index).kind() != kind) {
      throw problem(feature, "is %s; got %s values".formatted(features.get(index).kind(), kind));
    }
    if (columns[index] != null) {
      throw problem(feature, "is set twice");
    }
    columns[index] = column;
  }

  private IllegalArgumentException problem(String feature, String problem) {
    return new IllegalArgumentException("[%s] column \"%s\" %s".formatted(where, feature, problem));
  }

  /** The columns in schema order, all of {@code size} rows; −1 = whatever the first one has. */
  Column[] finish(int size) {
    Column[] finished = new Column[columns.length];
    int expected = size;
    for (int i = 0; i < finished.length; i++) {
      Column column = columns[i];
      if (column == null) {
        throw problem(features.get(i).name(), "is missing; expected %s".formatted(names(features)));
      }
      if (expected < 0) {
        expected = column.size();
      } else if (column.size() != expected) {
        throw problem(
            features.get(i).name(),
            "must have %d rows like the others; got %d".formatted(expected, column.size()));
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

  /** Columns without rows. */
  static Column[] empty(List<Feature> features) {
    return features.stream()
        .map(feature -> Column.of(feature.kind(), List.of()))
        .toArray(Column[]::new);
  }

  /** Rows {@code from} … {@code to} − 1 of each column. */
  static Column[] slice(Column[] columns, int from, int to) {
    return Arrays.stream(columns).map(column -> column.slice(from, to)).toArray(Column[]::new);
  }
}
