package ai.longer.data;

import ai.longer.CorruptDataException;
import ai.longer.Schema.Kind;
import java.util.BitSet;

/** A file that a {@link RowFormat} reads. Not thread-safe. */
final class RowsDataFile implements DataFile {
  private final Rows rows;

  RowsDataFile(Rows rows) {
    this.rows = rows;
  }

  @Override
  public int column(String name) {
    return rows.column(name);
  }

  @Override
  public boolean next() {
    return rows.next();
  }

  @Override
  public Value value(int column, Kind kind, boolean isText) {
    Cell cell = rows.cell(column);
    if (kind == Kind.MANY_VALUED) {
      long[] ids = ids(column, cell, isText);
      return ids.length == 0 ? Value.missing() : Value.ids(ids);
    }
    if (cell.size() == 0) {
      return Value.missing();
    }
    if (cell.size() > 1) {
      throw error(column, "must have one value; got %d".formatted(cell.size()));
    }
    return kind == Kind.CATEGORICAL
        ? Value.id(ids(column, cell, isText)[0])
        : Value.number(number(column, cell, 0));
  }

  @Override
  public Column list(int column, Kind kind, boolean isText, int elements) {
    Cell cell = rows.cell(column);
    return switch (kind) {
      case CATEGORICAL -> categorical(column, cell, isText);
      case MANY_VALUED -> {
        int[] offsets = new int[cell.elements() + 1];
        for (int element = 0; element < cell.elements(); element++) {
          offsets[element + 1] = cell.end(element);
        }
        yield Column.manyValued(ids(column, cell, isText), offsets);
      }
      case NUMERIC -> {
        float[] numbers = new float[cell.elements()];
        for (int element = 0; element < numbers.length; element++) {
          numbers[element] =
              isMissing(column, cell, element)
                  ? Float.NaN
                  : number(column, cell, cell.begin(element));
        }
        yield Column.numeric(numbers);
      }
    };
  }

  private Column categorical(int column, Cell cell, boolean isText) {
    long[] values = ids(column, cell, isText);
    long[] ids = new long[cell.elements()];
    BitSet missing = new BitSet();
    for (int element = 0; element < ids.length; element++) {
      if (isMissing(column, cell, element)) {
        missing.set(element);
      } else {
        ids[element] = values[cell.begin(element)];
      }
    }
    return Column.categorical(ids, missing);
  }

  /** Whether an element, which may have one value, has none. */
  private boolean isMissing(int column, Cell cell, int element) {
    int size = cell.end(element) - cell.begin(element);
    if (size > 1) {
      throw error(column, "element %d must have one value; got %d".formatted(element, size));
    }
    return size == 0;
  }

  /** The ids of all elements. */
  private long[] ids(int column, Cell cell, boolean isText) {
    Cell.Kind wanted = isText ? Cell.Kind.TEXT : Cell.Kind.LONG;
    if (cell.kind() != wanted && cell.size() > 0) {
      throw error(column, "must hold %s; got %s".formatted(words(wanted), words(cell.kind())));
    }
    long[] ids = new long[cell.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = isText ? StringIds.hash(cell.text(i)) : cell.longValue(i);
    }
    return ids;
  }

  private float number(int column, Cell cell, int index) {
    if (cell.kind() == Cell.Kind.TEXT) {
      throw error(column, "must hold numbers; got texts");
    }
    double number = cell.doubleValue(index);
    if (Float.isInfinite((float) number)) {
      throw error(column, "must be a finite number of 32 bits; got " + number);
    }
    return (float) number;
  }

  private static String words(Cell.Kind kind) {
    return switch (kind) {
      case LONG -> "whole numbers";
      case DOUBLE -> "numbers with fractions";
      case TEXT -> "texts";
    };
  }

  @Override
  public CorruptDataException error(int column, String problem) {
    return rows.error(column, problem);
  }

  @Override
  public long bytesRead() {
    return rows.bytesRead();
  }

  @Override
  public long totalBytes() {
    return rows.totalBytes();
  }

  @Override
  public void close() {
    rows.close();
  }
}
