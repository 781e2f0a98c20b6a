package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Which columns of a log, a file of one row per interaction, are the user, the time, the features
 * of a schema and the labels.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class LogColumns {
  /** Unit of a file's times. */
  public enum TimeUnit {
    /** Epoch seconds. */
    SECONDS,
    /** Epoch milliseconds; rounded down to seconds. */
    MILLISECONDS
  }

  private final Builder settings;

  private LogColumns(Builder settings) {
    this.settings = settings;
  }

  /** Starts from a schema; features and tasks are the columns of their names. */
  public static Builder builder(Schema schema) {
    return new Builder(schema);
  }

  /** Returns the schema. */
  public Schema schema() {
    return settings.schema();
  }

  ColumnsBuilder<Builder> settings() {
    return settings;
  }

  ListSeparators separators() {
    return new ListSeparators('\0', settings.between()); // a field of a log is no list
  }

  String column(Feature feature) {
    return settings.columns.getOrDefault(feature.name(), feature.name());
  }

  /** Collects columns. Not thread-safe. */
  public static final class Builder extends ColumnsBuilder<Builder> {
    private final Map<String, String> columns = new HashMap<>();

    private Builder(Schema schema) {
      super("log_columns", schema);
    }

    private Builder(Builder other) {
      super(other);
      columns.putAll(other.columns);
    }

    @Override
    Builder self() {
      return this;
    }

    /** Sets the column that the features of a name read; default: the one of that name. */
    public Builder column(String feature, String column) {
      columns.put(checkFeature(allFeatures(), feature), Objects.requireNonNull(column, "column"));
      return this;
    }

    /**
     * Returns the columns.
     *
     * @throws IllegalArgumentException if the column of users or that of times is not set
     */
    public LogColumns build() {
      checkComplete();
      return new LogColumns(new Builder(this));
    }
  }
}
