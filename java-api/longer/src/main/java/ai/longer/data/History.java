package ai.longer.data;

import ai.longer.Schema;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A user's past events, oldest to newest, one column per event feature.
 *
 * <p>Immutable; safe for use by several threads. {@link #slice} and {@link #tail} share memory.
 */
public final class History {
  private final Schema schema;
  private final long[][] columns;
  private final long[] times;
  private final int begin;
  private final int end;
  private final long ordinalOfRowZero;

  /** Shares the arrays: callers hand them over. Times must be non-decreasing. */
  History(Schema schema, long[][] columns, long[] times, int begin, int end, long firstOrdinal) {
    this.schema = schema;
    this.columns = columns;
    this.times = times;
    this.begin = begin;
    this.end = end;
    this.ordinalOfRowZero = firstOrdinal - begin;
  }

  /** Starts a history of the event features of {@code schema}. */
  public static Builder builder(Schema schema) {
    return new Builder(schema);
  }

  /** Returns the history of a user without events. */
  public static History empty(Schema schema) {
    return new History(schema, Columns.empty(schema.eventFeatures().size()), new long[0], 0, 0, 0);
  }

  /** Returns the schema this history was built for. */
  public Schema schema() {
    return schema;
  }

  /** Returns L, the number of events. */
  public int size() {
    return end - begin;
  }

  /** Returns how many events this user had before the first one here. */
  public long firstOrdinal() {
    return ordinalOfRowZero + begin;
  }

  /**
   * Returns the epoch second of event {@code event}.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ event &lt; size
   */
  public long time(int event) {
    return times[begin + Objects.checkIndex(event, size())];
  }

  /**
   * Returns the id of event {@code event} in column {@code column} of the schema's event features.
   *
   * @throws IndexOutOfBoundsException unless both indexes are in range
   */
  public long id(int column, int event) {
    return columns[column][begin + Objects.checkIndex(event, size())];
  }

  /** Returns a copy of the times, epoch seconds [L]. */
  public long[] times() {
    return Arrays.copyOfRange(times, begin, end);
  }

  /**
   * Returns a copy of a column [L].
   *
   * @throws IllegalArgumentException if the schema has no such event feature
   */
  public long[] longs(String feature) {
    int column = Columns.indexOf("history", schema.eventFeatures(), feature);
    return Arrays.copyOfRange(columns[column], begin, end);
  }

  /**
   * Returns events {@code from} … {@code to} − 1 with their ordinals, sharing memory.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ from ≤ to ≤ size
   */
  public History slice(int from, int to) {
    Objects.checkFromToIndex(from, to, size());
    return new History(schema, columns, times, begin + from, begin + to, firstOrdinal() + from);
  }

  /** Returns the newest {@code events} events with their ordinals, or all if there are fewer. */
  public History tail(int events) {
    if (events < 0) {
      throw new IllegalArgumentException("[history] tail must not be negative; got " + events);
    }
    return events >= size() ? this : slice(size() - events, size());
  }

  /** Appends column {@code column} to {@code target}; allocates nothing. */
  public void copyIds(int column, LongBuffer target) {
    target.put(columns[column], begin, end - begin);
  }

  /** Appends the times to {@code target}; allocates nothing. */
  public void copyTimes(LongBuffer target) {
    target.put(times, begin, end - begin);
  }

  /** Returns whether both have the same schema, events, times and ordinals. */
  @Override
  public boolean equals(Object other) {
    if (this == other) {
      return true;
    }
    if (!(other instanceof History that)
        || !schema.equals(that.schema)
        || firstOrdinal() != that.firstOrdinal()
        || !Arrays.equals(times, begin, end, that.times, that.begin, that.end)) {
      return false;
    }
    for (int i = 0; i < columns.length; i++) {
      if (!Arrays.equals(columns[i], begin, end, that.columns[i], that.begin, that.end)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    return Objects.hash(Arrays.hashCode(times()), firstOrdinal());
  }

  @Override
  public String toString() {
    return "History[%d events from ordinal %d]".formatted(size(), firstOrdinal());
  }

  /** Collects a history. Not thread-safe. */
  public static final class Builder {
    private final Schema schema;
    private final Columns columns;
    private long @Nullable [] times;
    private long firstOrdinal;

    private Builder(Schema schema) {
      this.schema = Objects.requireNonNull(schema, "schema");
      this.columns = new Columns("history", schema.eventFeatures());
    }

    /**
     * Sets a column; copied.
     *
     * @param feature an event feature of the schema
     * @param ids ids, oldest to newest [L]
     * @throws IllegalArgumentException if the schema has no such event feature or it is set already
     */
    public Builder longs(String feature, long[] ids) {
      columns.set(feature, ids);
      return this;
    }

    /** Sets the epoch seconds of the events, oldest to newest [L]; copied. */
    public Builder times(long[] times) {
      this.times = times.clone();
      return this;
    }

    /** Sets how many events this user had before the first one here; default 0. */
    public Builder firstOrdinal(long events) {
      firstOrdinal = events;
      return this;
    }

    /**
     * Returns the history.
     *
     * @throws IllegalArgumentException if a column or the times are missing, lengths differ, times
     *     decrease or the first ordinal is negative; the message names the column and row
     */
    public History build() {
      if (times == null) {
        throw new IllegalArgumentException("[history] times are missing");
      }
      if (firstOrdinal < 0) {
        throw new IllegalArgumentException(
            "[history] first ordinal must not be negative; got " + firstOrdinal);
      }
      for (int i = 1; i < times.length; i++) {
        if (times[i] < times[i - 1]) {
          throw new IllegalArgumentException(
              "[history] events must run from oldest to newest; time %d of event %d is before %d"
                  .formatted(times[i], i, times[i - 1]));
        }
      }
      return new History(
          schema, columns.finish(times.length), times, 0, times.length, firstOrdinal);
    }
  }
}
