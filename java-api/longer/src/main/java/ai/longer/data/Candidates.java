package ai.longer.data;

import ai.longer.Schema;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * Items to score, one column per candidate feature.
 *
 * <p>Immutable; safe for use by several threads. {@link #slice} shares memory.
 */
public final class Candidates {
  private final Schema schema;
  private final long[][] columns;
  private final int begin;
  private final int end;

  /** Shares the arrays: callers hand them over. */
  Candidates(Schema schema, long[][] columns, int begin, int end) {
    this.schema = schema;
    this.columns = columns;
    this.begin = begin;
    this.end = end;
  }

  /** Starts candidates with the candidate features of {@code schema}. */
  public static Builder builder(Schema schema) {
    return new Builder(schema);
  }

  /** Returns no candidates. */
  public static Candidates empty(Schema schema) {
    return new Candidates(schema, Columns.empty(schema.candidateFeatures().size()), 0, 0);
  }

  /** Returns the schema these candidates were built for. */
  public Schema schema() {
    return schema;
  }

  /** Returns C, the number of candidates. */
  public int size() {
    return end - begin;
  }

  /**
   * Returns the id of candidate {@code candidate} in column {@code column} of the schema's
   * candidate features.
   *
   * @throws IndexOutOfBoundsException unless both indexes are in range
   */
  public long id(int column, int candidate) {
    return columns[column][begin + Objects.checkIndex(candidate, size())];
  }

  /**
   * Returns a copy of a column [C].
   *
   * @throws IllegalArgumentException if the schema has no such candidate feature
   */
  public long[] longs(String feature) {
    int column = Columns.indexOf("candidates", schema.candidateFeatures(), feature);
    return Arrays.copyOfRange(columns[column], begin, end);
  }

  /**
   * Returns candidates {@code from} … {@code to} − 1, sharing memory.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ from ≤ to ≤ size
   */
  public Candidates slice(int from, int to) {
    Objects.checkFromToIndex(from, to, size());
    return new Candidates(schema, columns, begin + from, begin + to);
  }

  /** Appends column {@code column} to {@code target}; allocates nothing. */
  public void copyIds(int column, LongBuffer target) {
    target.put(columns[column], begin, end - begin);
  }

  /** Returns whether both have the same schema and ids. */
  @Override
  public boolean equals(Object other) {
    if (this == other) {
      return true;
    }
    if (!(other instanceof Candidates that)
        || size() != that.size()
        || !schema.equals(that.schema)) {
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
    int hash = size();
    for (long[] column : columns) {
      hash = 31 * hash + Arrays.hashCode(Arrays.copyOfRange(column, begin, end));
    }
    return hash;
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
     * Sets a column; copied.
     *
     * @param feature a candidate feature of the schema
     * @param ids one id per candidate [C]
     * @throws IllegalArgumentException if the schema has no such candidate feature or it is set
     *     already
     */
    public Builder longs(String feature, long[] ids) {
      columns.set(feature, ids);
      return this;
    }

    /**
     * Returns the candidates.
     *
     * @throws IllegalArgumentException if a column is missing or lengths differ; the message names
     *     the column
     */
    public Candidates build() {
      long[][] finished = columns.finish(-1);
      return new Candidates(schema, finished, 0, finished.length == 0 ? 0 : finished[0].length);
    }
  }
}
