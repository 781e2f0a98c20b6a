package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import ai.longer.Schema.Task;
import ai.longer.data.LogColumns.TimeUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What {@link LogColumns} and {@link RequestColumns} have in common: the user, the time, which ids
 * are texts, the labels. Not thread-safe.
 *
 * @param <B> the builder that this is part of
 */
public abstract sealed class ColumnsBuilder<B extends ColumnsBuilder<B>>
    permits LogColumns.Builder, RequestColumns.Builder {
  private static final long MILLIS = 1000;

  private final String where;
  private final Schema schema;
  private final Set<String> texts = new HashSet<>();
  private final Map<String, Label> labels = new HashMap<>();
  private @Nullable String user;
  private boolean isUserText;
  private @Nullable String time;
  private TimeUnit timeUnit = TimeUnit.SECONDS;
  private char between = '|';

  /** Starts with defaults; errors begin with {@code where}. */
  ColumnsBuilder(String where, Schema schema) {
    this.where = where;
    this.schema = Objects.requireNonNull(schema, "schema");
  }

  ColumnsBuilder(ColumnsBuilder<B> other) {
    this(other.where, other.schema);
    texts.addAll(other.texts);
    labels.putAll(other.labels);
    user = other.user;
    isUserText = other.isUserText;
    time = other.time;
    timeUnit = other.timeUnit;
    between = other.between;
  }

  abstract B self();

  /** Sets the column of user keys, whole numbers. */
  public B user(String column) {
    user = Objects.requireNonNull(column, "column");
    isUserText = false;
    return self();
  }

  /** Sets the column of user keys, texts, of which {@link StringIds} makes the keys. */
  public B textUser(String column) {
    user(column);
    isUserText = true;
    return self();
  }

  /** Sets the column of times, epoch seconds. */
  public B time(String column) {
    return time(column, TimeUnit.SECONDS);
  }

  /** Sets the column of times, whole numbers in a unit. */
  public B time(String column, TimeUnit unit) {
    time = Objects.requireNonNull(column, "column");
    timeUnit = Objects.requireNonNull(unit, "unit");
    return self();
  }

  /** Says that the ids of features are those of texts ({@link StringIds}), not whole numbers. */
  public B texts(String... features) {
    for (String feature : features) {
      texts.add(checkFeature(allFeatures(), feature));
    }
    return self();
  }

  /** Sets what stands between the values of a many-valued field in CSV; default '|'. */
  public B between(char separator) {
    between = separator;
    return self();
  }

  /** Sets the column that a task's labels are, numbers in 0 … 1; default: the one of its name. */
  public B label(String task, String column) {
    return label(task, column, Double.NaN);
  }

  /** As {@link #label(String, String)}: 1 where the number is at least {@code atLeast}, else 0. */
  public B label(String task, String column, double atLeast) {
    if (schema.tasks().stream().noneMatch(t -> t.name().equals(task))) {
      throw new IllegalArgumentException(
          "[%s] the schema has no task \"%s\"; expected one of %s"
              .formatted(where, task, schema.tasks().stream().map(Task::name).toList()));
    }
    labels.put(task, new Label(Objects.requireNonNull(column, "column"), atLeast));
    return self();
  }

  Stream<Feature> allFeatures() {
    return Stream.of(
            schema.eventFeatures(),
            schema.candidateFeatures(),
            schema.userFeatures(),
            schema.contextFeatures())
        .flatMap(List::stream);
  }

  /** Returns the name if one of the features has it. */
  String checkFeature(Stream<Feature> features, String name) {
    List<String> names = features.map(Feature::name).distinct().toList();
    if (!names.contains(name)) {
      throw new IllegalArgumentException(
          "[%s] the schema has no feature \"%s\"; expected one of %s"
              .formatted(where, name, names));
    }
    return name;
  }

  void checkComplete() {
    if (user == null || time == null) {
      throw new IllegalArgumentException(
          "[%s] the columns of users and times must be set; got %s and %s"
              .formatted(where, user, time));
    }
  }

  Schema schema() {
    return schema;
  }

  String user() {
    return Objects.requireNonNull(user);
  }

  String time() {
    return Objects.requireNonNull(time);
  }

  char between() {
    return between;
  }

  boolean isText(Feature feature) {
    return texts.contains(feature.name());
  }

  /** The label of each task. */
  List<Label> labels() {
    return schema.tasks().stream()
        .map(task -> labels.getOrDefault(task.name(), new Label(task.name(), Double.NaN)))
        .toList();
  }

  /** The key in the user's column. */
  long user(DataFile file, int column) {
    Value key = file.value(column, Kind.CATEGORICAL, isUserText);
    if (key.isMissing()) {
      throw file.error(column, "the user is missing");
    }
    return key.ids()[0];
  }

  /** The epoch second in the column of times. */
  long time(DataFile file, int column) {
    Value number = file.value(column, Kind.CATEGORICAL, false);
    if (number.isMissing()) {
      throw file.error(column, "the time is missing");
    }
    return seconds(number.ids()[0]);
  }

  /** The epoch second of a time in the file's unit. */
  long seconds(long time) {
    return timeUnit == TimeUnit.SECONDS ? time : Math.floorDiv(time, MILLIS);
  }
}
