package ai.longer.data;

import ai.longer.CorruptDataException;
import ai.longer.Schema.Kind;

/** A log in CSV. Not thread-safe. */
final class CsvLogFile implements LogFile {
  private final CsvReader rows;
  private final char between;

  CsvLogFile(CsvReader rows, char between) {
    this.rows = rows;
    this.between = between;
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
    return switch (kind) {
      case CATEGORICAL -> isText ? rows.textId(column) : rows.id(column);
      case MANY_VALUED -> isText ? rows.textIds(column, between) : rows.ids(column, between);
      case NUMERIC -> rows.number(column);
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
