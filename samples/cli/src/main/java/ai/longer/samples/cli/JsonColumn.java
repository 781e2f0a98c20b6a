package ai.longer.samples.cli;

import ai.longer.Schema.Feature;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.StringIds;
import ai.longer.data.Value;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The values of one feature as JSON has them, of its kind: null, an id (a {@link Long} or a {@link
 * String}), a list of ids, or a {@link Double}.
 */
record JsonColumn(Feature feature, List<@Nullable Object> values) {
  void addTo(History.Builder history) {
    switch (feature.kind()) {
      case CATEGORICAL -> history.longs(feature.name(), ids(), missing());
      case MANY_VALUED -> history.longs(feature.name(), bags());
      case NUMERIC -> history.floats(feature.name(), numbers());
    }
  }

  void addTo(Candidates.Builder candidates) {
    switch (feature.kind()) {
      case CATEGORICAL -> candidates.longs(feature.name(), ids(), missing());
      case MANY_VALUED -> candidates.longs(feature.name(), bags());
      case NUMERIC -> candidates.floats(feature.name(), numbers());
    }
  }

  /** The one value of a user or context feature. */
  Value single() {
    Object value = values.get(0);
    if (value == null) {
      return Value.missing();
    }
    return switch (feature.kind()) {
      case CATEGORICAL -> Value.id(id(value));
      case MANY_VALUED -> Value.ids(bag(value));
      case NUMERIC -> Value.number((Double) value);
    };
  }

  private long[] ids() {
    return values.stream().mapToLong(value -> value == null ? 0 : id(value)).toArray();
  }

  private BitSet missing() {
    BitSet missing = new BitSet();
    for (int row = 0; row < values.size(); row++) {
      missing.set(row, values.get(row) == null);
    }
    return missing;
  }

  private long[][] bags() {
    return values.stream().map(JsonColumn::bag).toArray(long[][]::new);
  }

  private float[] numbers() {
    float[] numbers = new float[values.size()];
    for (int row = 0; row < numbers.length; row++) {
      Object value = values.get(row);
      numbers[row] = value == null ? Float.NaN : ((Double) value).floatValue();
    }
    return numbers;
  }

  private static long[] bag(@Nullable Object value) {
    return value == null
        ? new long[0]
        : ((List<?>) value).stream().mapToLong(JsonColumn::id).toArray();
  }

  private static long id(Object value) {
    return value instanceof String text ? StringIds.hash(text) : (Long) value;
  }
}
