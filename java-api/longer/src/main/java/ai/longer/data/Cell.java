package ai.longer.data;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A field of a row: a list of elements, each with a list of values. A single value is one element
 * with one value; a missing one, an element without values.
 *
 * <p>In memory that is used again: valid until the reader that filled it goes to the next row. Not
 * thread-safe.
 */
public final class Cell {
  /** What values are. */
  public enum Kind {
    /** Whole numbers. */
    LONG,
    /** Numbers with fractions. */
    DOUBLE,
    /** Text. */
    TEXT
  }

  private final Kind kind;
  private long[] longs = new long[0];
  private double[] doubles = new double[0];
  private @Nullable String[] texts = new String[0];
  private int size;
  private int[] ends = new int[1];
  private int elements;

  /** Makes an empty cell. */
  public Cell(Kind kind) {
    this.kind = Objects.requireNonNull(kind, "kind");
  }

  /** Returns what values are. */
  public Kind kind() {
    return kind;
  }

  /** Returns the number of elements. */
  public int elements() {
    return elements;
  }

  /** Returns the number of values of all elements. */
  public int size() {
    return size;
  }

  /** Returns the index of the first value of an element. */
  public int begin(int element) {
    return element == 0 ? 0 : ends[Objects.checkIndex(element, elements) - 1];
  }

  /** Returns the index after the last value of an element. */
  public int end(int element) {
    return ends[Objects.checkIndex(element, elements)];
  }

  /**
   * Returns a value of a {@link Kind#LONG} cell.
   *
   * @throws IllegalStateException if values are of another kind
   */
  public long longValue(int index) {
    expect(Kind.LONG);
    return longs[Objects.checkIndex(index, size)];
  }

  /**
   * Returns a value of a {@link Kind#DOUBLE} or {@link Kind#LONG} cell.
   *
   * @throws IllegalStateException if values are text
   */
  public double doubleValue(int index) {
    if (kind == Kind.LONG) {
      return (double) longValue(index);
    }
    expect(Kind.DOUBLE);
    return doubles[Objects.checkIndex(index, size)];
  }

  /**
   * Returns a value of a {@link Kind#TEXT} cell.
   *
   * @throws IllegalStateException if values are numbers
   */
  public String text(int index) {
    expect(Kind.TEXT);
    return Objects.requireNonNull(texts[Objects.checkIndex(index, size)]);
  }

  private void expect(Kind wanted) {
    if (kind != wanted) {
      throw new IllegalStateException("[cell] holds %s; asked for %s".formatted(kind, wanted));
    }
  }

  /** Removes all elements. */
  public void clear() {
    size = 0;
    elements = 0;
  }

  /** Adds a value to the element in progress of a {@link Kind#LONG} cell. */
  public void add(long value) {
    expect(Kind.LONG);
    if (size == longs.length) {
      longs = Arrays.copyOf(longs, larger(size));
    }
    longs[size++] = value;
  }

  /** Adds a value to the element in progress of a {@link Kind#DOUBLE} cell. */
  public void add(double value) {
    expect(Kind.DOUBLE);
    if (size == doubles.length) {
      doubles = Arrays.copyOf(doubles, larger(size));
    }
    doubles[size++] = value;
  }

  /** Adds a value to the element in progress of a {@link Kind#TEXT} cell. */
  public void add(String value) {
    expect(Kind.TEXT);
    if (size == texts.length) {
      texts = Arrays.copyOf(texts, larger(size));
    }
    texts[size++] = Objects.requireNonNull(value, "value");
  }

  /** Ends the element in progress: it has the values added since the last end. */
  public void endElement() {
    if (elements == ends.length) {
      ends = Arrays.copyOf(ends, larger(elements));
    }
    ends[elements++] = size;
  }

  private static int larger(int size) {
    return Math.addExact(size, Math.max(8, size / 2));
  }
}
