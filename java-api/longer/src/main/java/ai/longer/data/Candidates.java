package ai.longer.data;

import ai.longer.Schema;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Items to score, one column per candidate feature.
 *
 * <p>Immutable; safe for use by several threads. {@link #slice} shares memory.
 */
public final class Candidates {
  private final Schema schema;
  private final Column[] columns;
  private final int size;

  /** Shares the columns: callers hand them over. */
  Candidates(Schema schema, Column[] columns) {
    this.schema = schema;
    this.columns = columns;
    this.size = columns.length == 0 ? 0 : columns[0].size();
  }

  /** Starts candidates with the candidate features of {@code schema}. */
  public static Builder builder(Schema schema) {
    return new Builder(schema);
  }

  /** Returns no candidates. */
  public static Candidates empty(Schema schema) {
    return new Candidates(schema, Columns.empty(schema.candidateFeatures()));
  }

  /** Returns the schema these candidates were built for. */
  public Schema schema() {
    return schema;
  }

  /** Returns C, the number of candidates. */
  public int size() {
    return size;
  }

  /** Returns column {@code column} of the schema's candidate features [C]. */
  public Column column(int column) {
    return columns[column];
  }

  /**
   * Returns the column of a candidate feature [C].
   *
   * @throws IllegalArgumentException if the schema has no such candidate feature
   */
  public Column column(String feature) {
    return columns[Columns.indexOf("candidates", schema.candidateFeatures(), feature)];
  }

  /**
   * Returns a copy of the ids of a candidate feature: one a row [C], or those of all rows if
   * many-valued.
   *
   * @throws IllegalArgumentException if the schema has no such feature
   */
  public long[] longs(String feature) {
    return column(feature).ids();
  }

  /**
   * Returns the id of candidate {@code candidate} in column {@code column} of the schema's
   * candidate features.
   *
   * @throws IllegalStateException if that feature is not categorical with one value
   * @throws IndexOutOfBoundsException unless both indexes are in range
   */
  public long id(int column, int candidate) {
    return columns[column].id(candidate);
  }

  /**
   * Returns candidates {@code from} … {@code to} − 1, sharing memory.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ from ≤ to ≤ size
   */
  public Candidates slice(int from, int to) {
    Objects.checkFromToIndex(from, to, size());
    return new Candidates(schema, Columns.slice(columns, from, to));
  }

  /** Returns whether both have the same schema and values. */
  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof Candidates that
            && schema.equals(that.schema)
            && Arrays.equals(columns, that.columns));
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(columns);
  }

  @Override
  public String toString() {
    return "Candidates[" + size() + "]";
  }

  /** Collects candidates. Not thread-safe. */
  public static final class Builder {
    private final Schema schema;
    private final Columns columns;

    private Builder(Schema schema) {
      this.schema = Objects.requireNonNull(schema, "schema");
      this.columns = new Columns("candidates", schema.candidateFeatures());
    }

    /**
     * Sets the column of a categorical feature; copied.
     *
     * @param feature a candidate feature of the schema with one value
     * @param ids one id a row, in the order of the candidates [C]
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
     * @param feature a many-valued candidate feature of the schema
     * @param ids the ids of each row, in the order of the candidates [C]; a row may be null or
     *     empty
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
     * @param feature a numeric candidate feature of the schema
     * @param numbers one number a row, in the order of the candidates [C]; NaN is missing
     * @throws IllegalArgumentException if the schema has no such feature, it is of another kind or
     *     set already, or a number is infinite
     */
    public Builder floats(String feature, float[] numbers) {
      columns.numbers(feature, numbers);
      return this;
    }

    /**
     * Returns the candidates.
     *
     * @throws IllegalArgumentException if a column is missing or lengths differ; the message names
     *     the column
     */
    public Candidates build() {
      return new Candidates(schema, columns.finish(-1));
    }
  }
}
