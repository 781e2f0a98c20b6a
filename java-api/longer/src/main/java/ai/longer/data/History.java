package ai.longer.data;

import ai.longer.Schema;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A user's past events, oldest to newest, one column per event feature.
 *
 * <p>Immutable; safe for use by several threads. {@link #slice} and {@link #tail} share memory.
 */
public final class History {
  private final Schema schema;
  private final Column[] columns;
  private final long[] times;
  private final int begin;
  private final int end;
  private final long ordinalOfRowZero;

  /**
   * Shares the arrays: callers hand them over. Times must be non-decreasing; columns hold rows
   * {@code begin} … {@code end} − 1 of them.
   */
  History(Schema schema, Column[] columns, long[] times, int begin, int end, long firstOrdinal) {
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
    return new History(schema, Columns.empty(schema.eventFeatures()), new long[0], 0, 0, 0);
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

  /** Returns column {@code column} of the schema's event features [L]. */
  public Column column(int column) {
    return columns[column];
  }

  /**
   * Returns a copy of the ids of an event feature: one a row [L], or those of all rows if
   * many-valued.
   *
   * @throws IllegalArgumentException if the schema has no such feature
   */
  public long[] longs(String feature) {
    return column(feature).ids();
  }

  /**
   * Returns the id of event {@code event} in column {@code column} of the schema's event features.
   *
   * @throws IllegalStateException if that feature is not categorical with one value
   * @throws IndexOutOfBoundsException unless both indexes are in range
   */
  public long id(int column, int event) {
    return columns[column].id(event);
  }

  /** Returns a copy of the times, epoch seconds [L]. */
  public long[] times() {
    return Arrays.copyOfRange(times, begin, end);
  }

  /**
   * Returns the column of an event feature [L].
   *
   * @throws IllegalArgumentException if the schema has no such event feature
   */
  public Column column(String feature) {
    return columns[Columns.indexOf("history", schema.eventFeatures(), feature)];
  }

  /**
   * Returns events {@code from} … {@code to} − 1 with their ordinals, sharing memory.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ from ≤ to ≤ size
   */
  public History slice(int from, int to) {
    Objects.checkFromToIndex(from, to, size());
    return new History(
        schema,
        Columns.slice(columns, from, to),
        times,
        begin + from,
        begin + to,
        firstOrdinal() + from);
  }

  /** Returns the newest {@code events} events with their ordinals, or all if there are fewer. */
  public History tail(int events) {
    if (events < 0) {
      throw new IllegalArgumentException("[history] tail must not be negative; got " + events);
    }
    return events >= size() ? this : slice(size() - events, size());
  }

  /** Appends the times to {@code target}; allocates nothing. */
  public void copyTimes(LongBuffer target) {
    target.put(times, begin, end - begin);
  }

  /** Returns whether both have the same schema, events, times and ordinals. */
  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof History that
            && schema.equals(that.schema)
            && firstOrdinal() == that.firstOrdinal()
            && Arrays.equals(times, begin, end, that.times, that.begin, that.end)
            && Arrays.equals(columns, that.columns));
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
    private int newestEvents = Integer.MAX_VALUE;
    private int mostEvents = Integer.MAX_VALUE;

    private Builder(Schema schema) {
      this.schema = Objects.requireNonNull(schema, "schema");
      this.columns = new Columns("history", schema.eventFeatures());
    }

    /**
     * Sets the column of a categorical feature; copied.
     *
     * @param feature an event feature of the schema with one value
     * @param ids one id a row, oldest to newest [L]
     * @throws IllegalArgumentException if the schema has no such feature, it is of another kind or
     *     set already
     */
    public Builder longs(String feature, long[] ids) {
      columns.ids(feature, ids, null);
      return this;
    }

    /** As {@link #longs(String, long[])}, with rows that have no value. */
    public Builder longs(String feature, long[] ids, BitSet missing) {
      columns.ids(feature, ids, missing);
      return this;
    }

    /** As {@link #longs(String, long[])}, of texts ({@link StringIds}); null is missing. */
    @SuppressWarnings("exports") // of @Nullable, which is not there at run time
    public Builder strings(String feature, @Nullable String[] texts) {
      columns.texts(feature, texts);
      return this;
    }

    /**
     * Sets the column of a many-valued feature; copied.
     *
     * @param feature a many-valued event feature of the schema
     * @param ids the ids of each row, oldest to newest [L]; a row may be null or empty
     * @throws IllegalArgumentException if the schema has no such feature, it is of another kind or
     *     set already
     */
    @SuppressWarnings("exports") // of @Nullable, which is not there at run time
    public Builder longs(String feature, long[] @Nullable [] ids) {
      columns.bags(feature, ids);
      return this;
    }

    /** As {@link #longs(String, long[][])}, the ids of row i from {@code offsets[i]} on. */
    public Builder longs(String feature, long[] ids, int[] offsets) {
      columns.bags(feature, ids, offsets);
      return this;
    }

    /** As {@link #longs(String, long[][])}, of texts ({@link StringIds}). */
    @SuppressWarnings("exports") // of @Nullable, which is not there at run time
    public Builder strings(String feature, String[] @Nullable [] texts) {
      columns.textBags(feature, texts);
      return this;
    }

    /**
     * Sets the column of a numeric feature; copied.
     *
     * @param feature a numeric event feature of the schema
     * @param numbers one number a row, oldest to newest [L]; NaN is missing
     * @throws IllegalArgumentException if the schema has no such feature, it is of another kind or
     *     set already, or a number is infinite
     */
    public Builder floats(String feature, float[] numbers) {
      columns.numbers(feature, numbers);
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
     * Keeps the newest {@code events} events and drops older ones; default: keeps all. A model
     * reads its newest {@link ai.longer.LongerConfig#maxHistory} events whatever comes.
     */
    public Builder keepNewest(int events) {
      newestEvents = notNegative(events);
      return this;
    }

    /** Refuses histories of more than {@code events} events; default: takes all. */
    public Builder atMost(int events) {
      mostEvents = notNegative(events);
      return this;
    }

    private static int notNegative(int events) {
      if (events < 0) {
        throw new IllegalArgumentException(
            "[history] a number of events must not be negative; got " + events);
      }
      return events;
    }

    /**
     * Returns the history.
     *
     * @throws IllegalArgumentException if a column or the times are missing, lengths differ, times
     *     decrease, the first ordinal is negative or there are more events than {@link #atMost}
     *     allows; the message names the column and row
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
      return limit(
          new History(schema, columns.finish(times.length), times, 0, times.length, firstOrdinal));
    }

    private History limit(History history) {
      if (history.size() > mostEvents) {
        throw new IllegalArgumentException(
            "[history] must have at most %d events; got %d".formatted(mostEvents, history.size()));
      }
      return history.tail(newestEvents);
    }
  }
}
