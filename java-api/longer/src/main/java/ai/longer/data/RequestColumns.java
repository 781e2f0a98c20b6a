package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which columns of a file of one row per request are what.
 *
 * <p>Single values: the user's key, the reference time, user and context features, {@link
 * Builder#firstOrdinal}. Lists of one element per event, oldest first: the events' times, not after
 * the reference time, and event features. Lists of one element per candidate: candidate features,
 * labels, {@link Builder#weights}. An element is missing where it is null (empty in CSV): features
 * and labels may be; elements of a many-valued feature are lists themselves. A single value is a
 * list of one element.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class RequestColumns {
  private final Builder settings;

  private RequestColumns(Builder settings) {
    this.settings = settings;
  }

  /**
   * Starts from a schema: event features are the columns {@code event_<name>}, candidate features
   * {@code candidate_<name>}, user and context features and tasks those of their names, events'
   * times {@code event_times}.
   */
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
    return new ListSeparators(settings.betweenElements, settings.between());
  }

  String eventTimes() {
    return settings.eventTimes;
  }

  @Nullable String firstOrdinal() {
    return settings.firstOrdinal;
  }

  @Nullable String weights() {
    return settings.weights;
  }

  /** The label of each task, none if there are no labels. */
  List<Label> labels() {
    return settings.isLabelled ? settings.labels() : List.of();
  }

  String eventColumn(Feature feature) {
    return settings.events.getOrDefault(feature.name(), "event_" + feature.name());
  }

  String candidateColumn(Feature feature) {
    return settings.candidates.getOrDefault(feature.name(), "candidate_" + feature.name());
  }

  /** The column of a user or context feature. */
  String column(Feature feature) {
    return settings.columns.getOrDefault(feature.name(), feature.name());
  }

  /** Collects columns. Not thread-safe. */
  public static final class Builder extends ColumnsBuilder<Builder> {
    private final Map<String, String> columns = new HashMap<>();
    private final Map<String, String> events = new HashMap<>();
    private final Map<String, String> candidates = new HashMap<>();
    private String eventTimes = "event_times";
    private @Nullable String firstOrdinal;
    private @Nullable String weights;
    private boolean isLabelled = true;
    private char betweenElements = ';';

    private Builder(Schema schema) {
      super("request_columns", schema);
    }

    private Builder(Builder other) {
      super(other);
      columns.putAll(other.columns);
      events.putAll(other.events);
      candidates.putAll(other.candidates);
      eventTimes = other.eventTimes;
      firstOrdinal = other.firstOrdinal;
      weights = other.weights;
      isLabelled = other.isLabelled;
      betweenElements = other.betweenElements;
    }

    @Override
    Builder self() {
      return this;
    }

    /** Sets the column of the events' times, in the unit of the reference time. */
    public Builder eventTimes(String column) {
      eventTimes = Objects.requireNonNull(column, "column");
      return this;
    }

    /** Sets the column of a user or context feature; default: the one of that name. */
    public Builder column(String feature, String column) {
      Stream<Feature> features =
          Stream.concat(schema().userFeatures().stream(), schema().contextFeatures().stream());
      columns.put(checkFeature(features, feature), Objects.requireNonNull(column, "column"));
      return this;
    }

    /** Sets the column of an event feature. */
    public Builder eventColumn(String feature, String column) {
      events.put(
          checkFeature(schema().eventFeatures().stream(), feature),
          Objects.requireNonNull(column, "column"));
      return this;
    }

    /** Sets the column of a candidate feature. */
    public Builder candidateColumn(String feature, String column) {
      candidates.put(
          checkFeature(schema().candidateFeatures().stream(), feature),
          Objects.requireNonNull(column, "column"));
      return this;
    }

    /**
     * Sets the column that counts the events that the user had before the first one of the row;
     * without, none. With it, shards store events that consecutive requests of a user share once.
     */
    public Builder firstOrdinal(String column) {
      firstOrdinal = Objects.requireNonNull(column, "column");
      return this;
    }

    /** Sets the column of sample weights; without, each candidate weighs 1. */
    public Builder weights(String column) {
      weights = Objects.requireNonNull(column, "column");
      return this;
    }

    /** Says that there are no labels, for requests to rank. */
    public Builder withoutLabels() {
      isLabelled = false;
      return this;
    }

    /** Sets what stands between the elements of a list in CSV; default ';'. */
    public Builder betweenElements(char separator) {
      betweenElements = separator;
      return this;
    }

    /**
     * Returns the columns.
     *
     * @throws IllegalArgumentException if the column of users or that of times is not set
     */
    public RequestColumns build() {
      checkComplete();
      return new RequestColumns(new Builder(this));
    }
  }
}
