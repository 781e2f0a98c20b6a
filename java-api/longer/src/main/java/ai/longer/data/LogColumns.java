package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import ai.longer.Schema.Task;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which columns of a log, a file of one row per interaction, are the user, the time, the features
 * of a schema and the labels.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class LogColumns {
  /** Unit of a log's times. */
  public enum TimeUnit {
    /** Epoch seconds. */
    SECONDS,
    /** Epoch milliseconds; rounded down to seconds. */
    MILLISECONDS
  }

  /** A label: the number in a column, or whether that is at least so much (NaN = the number). */
  record Label(String column, double atLeast) {}

  private static final long MILLIS = 1000;

  private final Builder settings;
  private final String user;
  private final String time;

  private LogColumns(Builder settings, String user, String time) {
    this.settings = settings;
    this.user = user;
    this.time = time;
  }

  /** Starts from a schema; features and tasks are the columns of their names. */
  public static Builder builder(Schema schema) {
    return new Builder(schema);
  }

  /** Returns the schema. */
  public Schema schema() {
    return settings.schema;
  }

  String user() {
    return user;
  }

  String time() {
    return time;
  }

  char between() {
    return settings.between;
  }

  /** The label of each task. */
  List<Label> labels() {
    return schema().tasks().stream()
        .map(t -> settings.labels.getOrDefault(t.name(), new Label(t.name(), Double.NaN)))
        .toList();
  }

  String column(Feature feature) {
    return settings.columns.getOrDefault(feature.name(), feature.name());
  }

  boolean isText(Feature feature) {
    return settings.texts.contains(feature.name());
  }

  /** The key in the user's column. */
  long user(LogFile file, int column) {
    Value key = file.value(column, Kind.CATEGORICAL, settings.isUserText);
    if (key.isMissing()) {
      throw file.error(column, "the user is missing");
    }
    return key.ids()[0];
  }

  /** The epoch second in the column of times. */
  long time(LogFile file, int column) {
    Value number = file.value(column, Kind.CATEGORICAL, false);
    if (number.isMissing()) {
      throw file.error(column, "the time is missing");
    }
    long value = number.ids()[0];
    return settings.timeUnit == TimeUnit.SECONDS ? value : Math.floorDiv(value, MILLIS);
  }

  /** Collects columns. Not thread-safe. */
  public static final class Builder {
    private final Schema schema;
    private final Map<String, String> columns = new HashMap<>();
    private final Set<String> texts = new HashSet<>();
    private final Map<String, Label> labels = new HashMap<>();
    private @Nullable String user;
    private boolean isUserText;
    private @Nullable String time;
    private TimeUnit timeUnit = TimeUnit.SECONDS;
    private char between = '|';

    private Builder(Schema schema) {
      this.schema = Objects.requireNonNull(schema, "schema");
    }

    private Builder(Builder other) {
      this(other.schema);
      columns.putAll(other.columns);
      texts.addAll(other.texts);
      labels.putAll(other.labels);
      isUserText = other.isUserText;
      timeUnit = other.timeUnit;
      between = other.between;
    }

    /** Sets the column of user keys, whole numbers. */
    public Builder user(String column) {
      user = Objects.requireNonNull(column, "column");
      isUserText = false;
      return this;
    }

    /** Sets the column of user keys, texts, of which {@link StringIds} makes the keys. */
    public Builder textUser(String column) {
      user(column);
      isUserText = true;
      return this;
    }

    /** Sets the column of times, epoch seconds. */
    public Builder time(String column) {
      return time(column, TimeUnit.SECONDS);
    }

    /** Sets the column of times, whole numbers in a unit. */
    public Builder time(String column, TimeUnit unit) {
      time = Objects.requireNonNull(column, "column");
      timeUnit = Objects.requireNonNull(unit, "unit");
      return this;
    }

    /** Sets the column that the features of a name read; default: the one of that name. */
    public Builder column(String feature, String column) {
      columns.put(checkFeature(feature), Objects.requireNonNull(column, "column"));
      return this;
    }

    /** Says that the ids of features are those of texts ({@link StringIds}), not whole numbers. */
    public Builder texts(String... features) {
      for (String feature : features) {
        texts.add(checkFeature(feature));
      }
      return this;
    }

    /** Sets what stands between the values of a many-valued field in CSV; default '|'. */
    public Builder between(char separator) {
      between = separator;
      return this;
    }

    /** Sets the column that a task's labels are, numbers in 0 … 1; default: the one of its name. */
    public Builder label(String task, String column) {
      return label(task, column, Double.NaN);
    }

    /**
     * As {@link #label(String, String)}: 1 where the number is at least {@code atLeast}, else 0.
     */
    public Builder label(String task, String column, double atLeast) {
      if (schema.tasks().stream().noneMatch(t -> t.name().equals(task))) {
        throw new IllegalArgumentException(
            "[log_columns] the schema has no task \"%s\"; expected one of %s"
                .formatted(task, schema.tasks().stream().map(Task::name).toList()));
      }
      labels.put(task, new Label(Objects.requireNonNull(column, "column"), atLeast));
      return this;
    }

    private String checkFeature(String name) {
      List<String> names =
          Stream.of(
                  schema.eventFeatures(),
                  schema.candidateFeatures(),
                  schema.userFeatures(),
                  schema.contextFeatures())
              .flatMap(List::stream)
              .map(Feature::name)
              .distinct()
              .toList();
      if (!names.contains(name)) {
        throw new IllegalArgumentException(
            "[log_columns] the schema has no feature \"%s\"; expected one of %s"
                .formatted(name, names));
      }
      return name;
    }

    /**
     * Returns the columns.
     *
     * @throws IllegalArgumentException if the column of users or that of times is not set
     */
    public LogColumns build() {
      if (user == null || time == null) {
        throw new IllegalArgumentException(
            "[log_columns] the columns of users and times must be set; got %s and %s"
                .formatted(user, time));
      }
      return new LogColumns(new Builder(this), user, time);
    }
  }
}
