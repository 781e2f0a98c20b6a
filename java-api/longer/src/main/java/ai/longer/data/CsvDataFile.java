package ai.longer.data;

import ai.longer.CorruptDataException;
import ai.longer.Schema.Kind;
import java.util.ArrayList;
import java.util.List;

/** A file in CSV. Not thread-safe. */
final class CsvDataFile implements DataFile {
  private final CsvReader rows;
  private final ListSeparators separators;

  CsvDataFile(CsvReader rows, ListSeparators separators) {
    this.rows = rows;
    this.separators = separators;
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
    return value(column, rows.text(column), kind, isText);
  }

  private Value value(int column, String text, Kind kind, boolean isText) {
    char between = separators.values();
    return switch (kind) {
      case CATEGORICAL -> isText ? CsvReader.textId(text) : rows.id(column, text);
      case MANY_VALUED ->
          isText ? rows.textIds(column, text, between) : rows.ids(column, text, between);
      case NUMERIC -> rows.number(column, text);
    };
  }

  @Override
  public Column list(int column, Kind kind, boolean isText, int elements) {
    String text = rows.text(column);
    List<Value> values = new ArrayList<>();
    if (!text.isEmpty() || elements == 1) {
      for (String part : CsvReader.parts(text, separators.elements())) {
        values.add(value(column, part, kind, isText));
      }
    }
    return Column.of(kind, values);
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
