package ai.longer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The features of a model: embedding tables, the columns that read them, and the labels.
 *
 * <p>Column order is the order of the builder calls. Immutable; safe for use by several threads.
 */
public final class Schema {
  /**
   * An embedding table; columns that name it share its rows.
   *
   * @param name unique name: letters, digits, {@code _} and {@code -}
   * @param width values in a row
   * @param rows 0 for a table that grows with the ids seen in training; above 0 for a small table
   *     whose ids are 0 … rows − 1. Other ids read the out-of-vocabulary row
   * @param admission of a growable table: occurrences in training after which an id gets a row; 1 =
   *     at once
   */
  public record Table(String name, int width, int rows, int admission) {
    /** Checks nothing but presence; the native core validates the whole configuration. */
    public Table {
      Objects.requireNonNull(name, "name");
    }
  }

  /** What a row of a column holds. */
  public enum Kind {
    /** One id, or none. */
    CATEGORICAL,
    /** Any number of ids; the model reads the mean of their rows. */
    MANY_VALUED,
    /** A number, or none. */
    NUMERIC
  }

  /**
   * A column.
   *
   * @param name unique among the columns of events, of the user and context, of candidates
   * @param kind what a row holds
   * @param table name of the table that ids read; null if numeric
   * @param mean what the model subtracts from a number; 0 unless numeric
   * @param scale what the model then divides by, above 0; 1 unless numeric
   */
  @SuppressWarnings("exports") // of @Nullable, which is not there at run time
  public record Feature(String name, Kind kind, @Nullable String table, double mean, double scale) {
    /** Checks nothing but presence; the native core validates the whole configuration. */
    public Feature {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(kind, "kind");
      if (kind != Kind.NUMERIC) {
        Objects.requireNonNull(table, "table");
      }
    }

    /** Returns a column of one id a row. */
    public static Feature categorical(String name, String table) {
      return new Feature(name, Kind.CATEGORICAL, table, 0, 1);
    }

    /** Returns a column of any number of ids a row. */
    public static Feature manyValued(String name, String table) {
      return new Feature(name, Kind.MANY_VALUED, table, 0, 1);
    }

    /**
     * Returns a column of one number a row, of which the model reads (number − mean) / scale and
     * whether it is there.
     */
    public static Feature numeric(String name, double mean, double scale) {
      return new Feature(name, Kind.NUMERIC, null, mean, scale);
    }
  }

  /**
   * A binary label.
   *
   * @param name unique name
   * @param weight factor of this task in the loss, at least 0
   * @param negativeSamplingRate share of the negatives that training data kept, in (0, 1]; scores
   *     are corrected for it
   */
  public record Task(String name, double weight, double negativeSamplingRate) {
    /** Checks nothing but presence; the native core validates the whole configuration. */
    public Task {
      Objects.requireNonNull(name, "name");
    }
  }

  private final List<Table> tables;
  private final List<Feature> eventFeatures;
  private final List<Feature> userFeatures;
  private final List<Feature> contextFeatures;
  private final List<Feature> candidateFeatures;
  private final List<Task> tasks;

  private Schema(Builder builder) {
    tables = List.copyOf(builder.tables);
    eventFeatures = List.copyOf(builder.eventFeatures);
    userFeatures = List.copyOf(builder.userFeatures);
    contextFeatures = List.copyOf(builder.contextFeatures);
    candidateFeatures = List.copyOf(builder.candidateFeatures);
    tasks = List.copyOf(builder.tasks);
  }

  /** Starts an empty schema. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns the embedding tables. */
  public List<Table> tables() {
    return tables;
  }

  /** Returns the columns of an event. */
  public List<Feature> eventFeatures() {
    return eventFeatures;
  }

  /** Returns the columns of the user. */
  public List<Feature> userFeatures() {
    return userFeatures;
  }

  /** Returns the columns of the request's context. */
  public List<Feature> contextFeatures() {
    return contextFeatures;
  }

  /** Returns the columns of a candidate. */
  public List<Feature> candidateFeatures() {
    return candidateFeatures;
  }

  /** Returns the labels. */
  public List<Task> tasks() {
    return tasks;
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof Schema that
            && tables.equals(that.tables)
            && eventFeatures.equals(that.eventFeatures)
            && userFeatures.equals(that.userFeatures)
            && contextFeatures.equals(that.contextFeatures)
            && candidateFeatures.equals(that.candidateFeatures)
            && tasks.equals(that.tasks));
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        tables, eventFeatures, userFeatures, contextFeatures, candidateFeatures, tasks);
  }

  @Override
  public String toString() {
    return "Schema[tables=%s, events=%s, user=%s, context=%s, candidates=%s, tasks=%s]"
        .formatted(tables, eventFeatures, userFeatures, contextFeatures, candidateFeatures, tasks);
  }

  /** Collects a schema. Not thread-safe. */
  public static final class Builder {
    private final List<Table> tables = new ArrayList<>();
    private final List<Feature> eventFeatures = new ArrayList<>();
    private final List<Feature> userFeatures = new ArrayList<>();
    private final List<Feature> contextFeatures = new ArrayList<>();
    private final List<Feature> candidateFeatures = new ArrayList<>();
    private final List<Task> tasks = new ArrayList<>();

    private Builder() {}

    /** Adds a table for any 64-bit ids that grows with the ids seen in training. */
    public Builder table(String name, int width) {
      return table(name, width, 1);
    }

    /**
     * Adds a table for any 64-bit ids in which an id gets a row when it occurs in training for the
     * {@code admission}-th time; before, it reads the out-of-vocabulary row.
     */
    public Builder table(String name, int width, int admission) {
      tables.add(new Table(name, width, 0, admission));
      return this;
    }

    /** Adds a table for ids 0 … {@code rows} − 1, trained as a dense parameter. */
    public Builder denseTable(String name, int width, int rows) {
      tables.add(new Table(name, width, rows, 1));
      return this;
    }

    /** Adds a categorical column of events. */
    public Builder event(String feature, String table) {
      return event(Feature.categorical(feature, table));
    }

    /** Adds a column of events. */
    public Builder event(Feature feature) {
      eventFeatures.add(feature);
      return this;
    }

    /** Adds a categorical column of the user. */
    public Builder user(String feature, String table) {
      return user(Feature.categorical(feature, table));
    }

    /** Adds a column of the user. */
    public Builder user(Feature feature) {
      userFeatures.add(feature);
      return this;
    }

    /** Adds a categorical column of the request's context. */
    public Builder context(String feature, String table) {
      return context(Feature.categorical(feature, table));
    }

    /** Adds a column of the request's context. */
    public Builder context(Feature feature) {
      contextFeatures.add(feature);
      return this;
    }

    /** Adds a categorical column of candidates. */
    public Builder candidate(String feature, String table) {
      return candidate(Feature.categorical(feature, table));
    }

    /** Adds a column of candidates. */
    public Builder candidate(Feature feature) {
      candidateFeatures.add(feature);
      return this;
    }

    /** Adds a label of weight 1. */
    public Builder task(String name) {
      return task(name, 1.0);
    }

    /** Adds a label whose loss counts {@code weight} times. */
    public Builder task(String name, double weight) {
      return task(name, weight, 1.0);
    }

    /**
     * Adds a label whose loss counts {@code weight} times, for training data that kept all
     * positives and the share {@code negativeSamplingRate} of the negatives: scores are
     * probabilities of the data before that.
     */
    public Builder task(String name, double weight, double negativeSamplingRate) {
      tasks.add(new Task(name, weight, negativeSamplingRate));
      return this;
    }

    /**
     * Returns the schema. {@link LongerModel#create} and {@link LongerConfig#parse} validate it.
     */
    public Schema build() {
      return new Schema(this);
    }
  }
}
