package ai.longer.data;

import ai.longer.Schema.Kind;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The values of one feature: a row per event, per candidate, or one for a request.
 *
 * <p>Immutable; safe for use by several threads. Slices share memory. The {@code copy…} methods
 * append to buffers and allocate nothing.
 */
public final class Column {
  private static final long[] NO_IDS = {};
  private static final float[] NO_NUMBERS = {};
  private static final int[] NO_OFFSETS = {};

  private final Kind kind;
  private final long[] ids; // categorical: one a row; many-valued: those of all rows
  private final int[] offsets; // many-valued: ids of row i from offsets[i] on
  private final float[] numbers; // numeric
  private final @Nullable BitSet missing; // categorical: rows without a value
  private final int begin;
  private final int end;

  private Column(
      Kind kind,
      long[] ids,
      int[] offsets,
      float[] numbers,
      @Nullable BitSet missing,
      int begin,
      int end) {
    this.kind = kind;
    this.ids = ids;
    this.offsets = offsets;
    this.numbers = numbers;
    this.missing = missing;
    this.begin = begin;
    this.end = end;
  }

  /** Shares the arguments: callers hand them over. */
  static Column categorical(long[] ids, @Nullable BitSet missing) {
    boolean hasMissing = missing != null && !missing.isEmpty();
    return new Column(
        Kind.CATEGORICAL, ids, NO_OFFSETS, NO_NUMBERS, hasMissing ? missing : null, 0, ids.length);
  }

  /** Shares the arrays: callers hand them over. */
  static Column manyValued(long[] ids, int[] offsets) {
    return new Column(Kind.MANY_VALUED, ids, offsets, NO_NUMBERS, null, 0, offsets.length - 1);
  }

  /** Shares the array: callers hand it over. */
  static Column numeric(float[] numbers) {
    return new Column(Kind.NUMERIC, NO_IDS, NO_OFFSETS, numbers, null, 0, numbers.length);
  }

  /** A column of values that fit the kind. */
  static Column of(Kind kind, List<Value> rows) {
    return switch (kind) {
      case CATEGORICAL -> {
        long[] ids = new long[rows.size()];
        BitSet missing = new BitSet();
        for (int row = 0; row < ids.length; row++) {
          Value value = rows.get(row);
          if (value.isMissing()) {
            missing.set(row);
          } else {
            ids[row] = value.ids()[0];
          }
        }
        yield categorical(ids, missing);
      }
      case MANY_VALUED -> {
        int[] offsets = new int[rows.size() + 1];
        for (int row = 0; row < rows.size(); row++) {
          offsets[row + 1] = Math.addExact(offsets[row], rows.get(row).ids().length);
        }
        long[] ids = new long[offsets[rows.size()]];
        for (int row = 0; row < rows.size(); row++) {
          long[] values = rows.get(row).ids();
          System.arraycopy(values, 0, ids, offsets[row], values.length);
        }
        yield manyValued(ids, offsets);
      }
      case NUMERIC -> {
        float[] numbers = new float[rows.size()];
        for (int row = 0; row < numbers.length; row++) {
          numbers[row] = rows.get(row).number();
        }
        yield numeric(numbers);
      }
    };
  }

  /** Returns the feature's kind. */
  public Kind kind() {
    return kind;
  }

  /** Returns the number of rows. */
  public int size() {
    return end - begin;
  }

  /**
   * Returns whether a row has no value: no id, no ids or NaN.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ row &lt; size
   */
  public boolean isMissing(int row) {
    int at = begin + Objects.checkIndex(row, size());
    return switch (kind) {
      case CATEGORICAL -> missing != null && missing.get(at);
      case MANY_VALUED -> offsets[at] == offsets[at + 1];
      case NUMERIC -> Float.isNaN(numbers[at]);
    };
  }

  /**
   * Returns the id of a row, any number where it is missing.
   *
   * @throws IllegalStateException if the feature is not categorical with one value
   * @throws IndexOutOfBoundsException unless 0 ≤ row &lt; size
   */
  public long id(int row) {
    require(Kind.CATEGORICAL);
    return ids[begin + Objects.checkIndex(row, size())];
  }

  /**
   * Returns a copy of the ids of a row.
   *
   * @throws IllegalStateException if the feature is not many-valued
   * @throws IndexOutOfBoundsException unless 0 ≤ row &lt; size
   */
  public long[] ids(int row) {
    require(Kind.MANY_VALUED);
    int at = begin + Objects.checkIndex(row, size());
    return Arrays.copyOfRange(ids, offsets[at], offsets[at + 1]);
  }

  /**
   * Returns the number of a row, NaN where it is missing.
   *
   * @throws IllegalStateException if the feature is not numeric
   * @throws IndexOutOfBoundsException unless 0 ≤ row &lt; size
   */
  public float number(int row) {
    require(Kind.NUMERIC);
    return numbers[begin + Objects.checkIndex(row, size())];
  }

  /** Returns a copy of the ids of all rows, none if numeric. */
  public long[] ids() {
    return Arrays.copyOfRange(ids, idsBegin(), idsEnd());
  }

  private void require(Kind wanted) {
    if (kind != wanted) {
      throw new IllegalStateException(
          "[column] is %s; a value of a %s one was asked for".formatted(kind, wanted));
    }
  }

  /**
   * Returns rows {@code from} … {@code to} − 1, sharing memory.
   *
   * @throws IndexOutOfBoundsException unless 0 ≤ from ≤ to ≤ size
   */
  public Column slice(int from, int to) {
    Objects.checkFromToIndex(from, to, size());
    return new Column(kind, ids, offsets, numbers, missing, begin + from, begin + to);
  }

  /** Returns the number of ids in all rows: one a row unless many-valued, none if numeric. */
  public int numIds() {
    return idsEnd() - idsBegin();
  }

  private int idsBegin() {
    return kind == Kind.MANY_VALUED ? offsets[begin] : kind == Kind.CATEGORICAL ? begin : 0;
  }

  private int idsEnd() {
    return kind == Kind.MANY_VALUED ? offsets[end] : kind == Kind.CATEGORICAL ? end : 0;
  }

  /** Returns whether a row of a categorical column is missing, which its ids do not tell. */
  public boolean needsValidity() {
    if (missing == null) {
      return false;
    }
    int next = missing.nextSetBit(begin);
    return next >= 0 && next < end;
  }

  /** Appends the ids of all rows. */
  public void copyIds(LongBuffer target) {
    target.put(ids, idsBegin(), numIds());
  }

  /** Appends the end of each row of a many-valued column, counted from {@code first}. */
  public void copyEnds(long first, LongBuffer target) {
    for (int row = begin; row < end; row++) {
      target.put(first + offsets[row + 1] - offsets[begin]);
    }
  }

  /** Appends the numbers of all rows. */
  public void copyNumbers(FloatBuffer target) {
    target.put(numbers, begin, end - begin);
  }

  /**
   * Sets the bit of each row that is not missing.
   *
   * @param bits bit i % 8 of byte i / 8, counted from {@code start}, is that of row i; cleared by
   *     the caller
   * @param start first byte
   * @param first the bit of this column's first row
   */
  public void copyValidity(ByteBuffer bits, int start, int first) {
    for (int row = 0; row < size(); row++) {
      if (missing == null || !missing.get(begin + row)) {
        int bit = first + row;
        int at = start + (bit >> 3);
        bits.put(at, (byte) (bits.get(at) | 1 << (bit & 7)));
      }
    }
  }

  /** Returns whether both have the same kind and the same values in every row. */
  @Override
  public boolean equals(Object other) {
    if (this == other) {
      return true;
    }
    if (!(other instanceof Column that) || kind != that.kind || size() != that.size()) {
      return false;
    }
    for (int row = 0; row < size(); row++) {
      if (isMissing(row) != that.isMissing(row)) {
        return false;
      }
      int at = begin + row;
      int other0 = that.begin + row;
      boolean isSame =
          isMissing(row)
              || switch (kind) {
                case CATEGORICAL -> ids[at] == that.ids[other0];
                case MANY_VALUED ->
                    Arrays.equals(
                        ids,
                        offsets[at],
                        offsets[at + 1],
                        that.ids,
                        that.offsets[other0],
                        that.offsets[other0 + 1]);
                case NUMERIC -> numbers[at] == that.numbers[other0];
              };
      if (!isSame) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    int hash = kind.hashCode();
    for (int row = 0; row < size(); row++) {
      hash = 31 * hash + (isMissing(row) ? 0 : hashOf(begin + row));
    }
    return hash;
  }

  private int hashOf(int at) {
    return switch (kind) {
      case CATEGORICAL -> Long.hashCode(ids[at]);
      case MANY_VALUED -> Arrays.hashCode(Arrays.copyOfRange(ids, offsets[at], offsets[at + 1]));
      case NUMERIC -> Float.hashCode(numbers[at] + 0f); // −0 equals 0
    };
  }

  @Override
  public String toString() {
    return "Column[%d rows, %s]".formatted(size(), kind);
  }
}
