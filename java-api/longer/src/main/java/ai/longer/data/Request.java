package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One history with candidates, and, for training, their labels.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class Request {
  private final History history;
  private final Candidates candidates;
  private final Column[] userColumns;
  private final long referenceTime;
  private final float @Nullable [][] labels;
  private final float @Nullable [] weights;
  private final long groupKey;

  /** Shares the arrays: callers hand them over. */
  Request(
      History history,
      Candidates candidates,
      Column[] userColumns,
      long referenceTime,
      float @Nullable [][] labels,
      float @Nullable [] weights,
      long groupKey) {
    this.history = history;
    this.candidates = candidates;
    this.userColumns = userColumns;
    this.referenceTime = referenceTime;
    this.labels = labels;
    this.weights = weights;
    this.groupKey = groupKey;
  }

  /** Starts a request. */
  public static Builder builder(History history, Candidates candidates) {
    return new Builder(history, candidates);
  }

  /** Returns the schema of history and candidates. */
  public Schema schema() {
    return history.schema();
  }

  /** Returns the user's past events. */
  public History history() {
    return history;
  }

  /** Returns the items to score. */
  public Candidates candidates() {
    return candidates;
  }

  /** Returns the epoch second that time differences refer to. */
  public long referenceTime() {
    return referenceTime;
  }

  /** Returns the value of user feature {@code column}, then of the context features; one row. */
  public Column userColumn(int column) {
    return userColumns[column];
  }

  /**
   * Returns id {@code column} of the schema's user features, then its context features.
   *
   * @throws IllegalStateException if that feature is not categorical with one value
   */
  public long userId(int column) {
    return userColumns[column].id(0);
  }

  /** Returns whether candidates have labels. */
  public boolean hasLabels() {
    return labels != null;
  }

  /**
   * Returns a copy of the labels of a task, each in [0, 1] or NaN for a missing one [C].
   *
   * @throws IllegalStateException if this request has no labels
   */
  public float[] labels(int task) {
    if (labels == null) {
      throw new IllegalStateException("[request] has no labels");
    }
    return labels[task].clone();
  }

  /** Returns whether candidates have sample weights; without, each weighs 1. */
  public boolean hasWeights() {
    return weights != null;
  }

  /** Returns a copy of the sample weights [C], all 1 when none were given. */
  public float[] weights() {
    if (weights != null) {
      return weights.clone();
    }
    float[] ones = new float[candidates.size()];
    Arrays.fill(ones, 1f);
    return ones;
  }

  /** Returns the key of the user, which GAUC and user bootstrap group by; default 0. */
  public long groupKey() {
    return groupKey;
  }

  /** Returns this request with another history, for example a shortened one. */
  public Request withHistory(History other) {
    checkHistory(other, candidates, referenceTime);
    return new Request(other, candidates, userColumns, referenceTime, labels, weights, groupKey);
  }

  /** Appends a task's labels, or NaN without labels, to {@code target}; allocates nothing. */
  public void copyLabels(int task, FloatBuffer target) {
    if (labels != null) {
      target.put(labels[task]);
    } else {
      for (int i = candidates.size(); i > 0; i--) {
        target.put(Float.NaN);
      }
    }
  }

  /** Appends the sample weights, or ones, to {@code target}; allocates nothing. */
  public void copyWeights(FloatBuffer target) {
    if (weights != null) {
      target.put(weights);
    } else {
      for (int i = candidates.size(); i > 0; i--) {
        target.put(1f);
      }
    }
  }

  @Override
  public String toString() {
    return "Request[%d events, %d candidates at %d, group %d]"
        .formatted(history.size(), candidates.size(), referenceTime, groupKey);
  }

  private static void checkHistory(History history, Candidates candidates, long referenceTime) {
    if (!history.schema().equals(candidates.schema())) {
      throw new IllegalArgumentException(
          "[request] history and candidates must be built for one schema; got %s and %s"
              .formatted(history.schema(), candidates.schema()));
    }
    if (history.size() > 0 && history.time(history.size() - 1) > referenceTime) {
      throw new IllegalArgumentException(
          "[request] reference time must not be before the newest event; got %d, newest event at %d"
              .formatted(referenceTime, history.time(history.size() - 1)));
    }
  }

  /** Collects a request. Not thread-safe. */
  public static final class Builder {
    private final History history;
    private final Candidates candidates;
    private final @Nullable Column[] userColumns;
    private final float[] @Nullable [] labels;
    private @Nullable Long referenceTime;
    private float @Nullable [] weights;
    private long groupKey;

    private Builder(History history, Candidates candidates) {
      this.history = Objects.requireNonNull(history, "history");
      this.candidates = Objects.requireNonNull(candidates, "candidates");
      Schema schema = history.schema();
      this.userColumns =
          new @Nullable Column[schema.userFeatures().size() + schema.contextFeatures().size()];
      this.labels = new float[schema.tasks().size()] @Nullable [];
    }

    /**
     * Sets the id of a user feature.
     *
     * @throws IllegalArgumentException if the schema has no such user feature or it is not
     *     categorical with one value
     */
    public Builder user(String feature, long id) {
      return user(feature, Value.id(id));
    }

    /**
     * Sets a user feature.
     *
     * @throws IllegalArgumentException if the schema has no such user feature or it is of another
     *     kind than the value
     */
    public Builder user(String feature, Value value) {
      List<Feature> features = history.schema().userFeatures();
      int column = Columns.indexOf("request", features, feature);
      return set(column, features.get(column), value);
    }

    /**
     * Sets the id of a context feature.
     *
     * @throws IllegalArgumentException if the schema has no such context feature or it is not
     *     categorical with one value
     */
    public Builder context(String feature, long id) {
      return context(feature, Value.id(id));
    }

    /**
     * Sets a context feature.
     *
     * @throws IllegalArgumentException if the schema has no such context feature or it is of
     *     another kind than the value
     */
    public Builder context(String feature, Value value) {
      Schema schema = history.schema();
      int column = Columns.indexOf("request", schema.contextFeatures(), feature);
      return set(
          schema.userFeatures().size() + column, schema.contextFeatures().get(column), value);
    }

    private Builder set(int column, Feature feature, Value value) {
      if (!value.fits(feature.kind())) {
        throw new IllegalArgumentException(
            "[request] column \"%s\" is %s; got %s"
                .formatted(feature.name(), feature.kind(), value));
      }
      userColumns[column] = Column.of(feature.kind(), List.of(value));
      return this;
    }

    /** Sets the epoch second that time differences refer to; default: that of the newest event. */
    public Builder referenceTime(long epochSecond) {
      referenceTime = epochSecond;
      return this;
    }

    /**
     * Sets the labels of a task; copied.
     *
     * @param values one in [0, 1], or NaN for a missing one, per candidate [C]
     * @throws IllegalArgumentException if the schema has no such task, lengths differ or a value is
     *     out of range
     */
    public Builder labels(String task, float[] values) {
      Schema schema = history.schema();
      List<String> names = schema.tasks().stream().map(Schema.Task::name).toList();
      int index = names.indexOf(task);
      if (index < 0) {
        throw new IllegalArgumentException(
            "[request] the schema has no task \"%s\"; expected one of %s".formatted(task, names));
      }
      checkLength("labels of \"" + task + "\"", values);
      for (int i = 0; i < values.length; i++) {
        if (values[i] < 0 || values[i] > 1) {
          throw new IllegalArgumentException(
              "[request] label %d of \"%s\" must be in 0 … 1 or NaN; got %s"
                  .formatted(i, task, values[i]));
        }
      }
      labels[index] = values.clone();
      return this;
    }

    /**
     * Sets the sample weights; copied.
     *
     * @param values one finite weight, at least 0, per candidate [C]
     * @throws IllegalArgumentException if lengths differ or a value is out of range
     */
    public Builder weights(float[] values) {
      checkLength("weights", values);
      for (int i = 0; i < values.length; i++) {
        if (!(values[i] >= 0) || values[i] == Float.POSITIVE_INFINITY) {
          throw new IllegalArgumentException(
              "[request] weight %d must be finite and not negative; got %s"
                  .formatted(i, values[i]));
        }
      }
      weights = values.clone();
      return this;
    }

    /** Sets the key of the user, which GAUC and user bootstrap group by; default 0. */
    public Builder groupKey(long key) {
      groupKey = key;
      return this;
    }

    private void checkLength(String what, float[] values) {
      if (values.length != candidates.size()) {
        throw new IllegalArgumentException(
            "[request] %s must have one value per candidate; got %d, expected %d"
                .formatted(what, values.length, candidates.size()));
      }
    }

    /**
     * Returns the request.
     *
     * @throws IllegalArgumentException if a user or context value or the labels of a task are
     *     missing while others are there, schemas differ, or the reference time is before the
     *     newest event
     */
    public Request build() {
      Schema schema = history.schema();
      long reference =
          referenceTime != null
              ? referenceTime
              : history.size() == 0 ? 0 : history.time(history.size() - 1);
      checkHistory(history, candidates, reference);
      return new Request(
          history, candidates, finishUser(schema), reference, finishLabels(), weights, groupKey);
    }

    private Column[] finishUser(Schema schema) {
      Column[] finished = new Column[userColumns.length];
      List<String> missing = new ArrayList<>();
      for (int i = 0; i < finished.length; i++) {
        Column column = userColumns[i];
        if (column != null) {
          finished[i] = column;
          continue;
        }
        int users = schema.userFeatures().size();
        missing.add(
            i < users
                ? schema.userFeatures().get(i).name()
                : schema.contextFeatures().get(i - users).name());
      }
      if (!missing.isEmpty()) {
        throw new IllegalArgumentException(
            "[request] user and context values are missing: " + missing);
      }
      return finished;
    }

    private float @Nullable [][] finishLabels() {
      float[][] finished = new float[labels.length][];
      int given = 0;
      for (int i = 0; i < labels.length; i++) {
        float[] task = labels[i];
        if (task != null) {
          given++;
          finished[i] = task;
        } else {
          finished[i] = new float[candidates.size()];
          Arrays.fill(finished[i], Float.NaN);
        }
      }
      return given == 0 ? null : finished;
    }
  }
}
