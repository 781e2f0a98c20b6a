package ai.longer.data;

import ai.longer.CorruptDataException;
import ai.longer.Schema.Kind;

/** A log that a {@link RowFormat} reads. Not thread-safe. */
final class RowsLogFile implements LogFile {
  private final Rows rows;

  RowsLogFile(Rows rows) {
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
      long[] ids = new long[cell.size()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = id(column, cell, i, isText);
      }
      return ids.length == 0 ? Value.missing() : Value.ids(ids);
    }
    if (cell.size() == 0) {
      return Value.missing();
    }
    if (cell.size() > 1) {
      throw error(column, "must have one value; got %d".formatted(cell.size()));
    }
    return kind == Kind.CATEGORICAL ? Value.id(id(column, cell, 0, isText)) : number(column, cell);
  }

  private long id(int column, Cell cell, int index, boolean isText) {
    Cell.Kind wanted = isText ? Cell.Kind.TEXT : Cell.Kind.LONG;
    if (cell.kind() != wanted) {
      throw error(column, "must hold %s; got %s".formatted(words(wanted), words(cell.kind())));
    }
    return isText ? StringIds.hash(cell.text(index)) : cell.longValue(index);
  }

  private Value number(int column, Cell cell) {
    if (cell.kind() == Cell.Kind.TEXT) {
      throw error(column, "must hold numbers; got texts");
    }
    double number = cell.doubleValue(0);
    if (Float.isInfinite((float) number)) {
      throw error(column, "must be a finite number of 32 bits; got " + number);
    }
    return Value.number(number);
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
