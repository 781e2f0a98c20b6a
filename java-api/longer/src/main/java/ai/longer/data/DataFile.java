package ai.longer.data;

import ai.longer.CorruptDataException;
import ai.longer.Schema.Kind;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;

/**
 * A file of logs or requests, row by row: CSV, or what a {@link RowFormat} reads. Errors are those
 * of {@link Rows}. Not thread-safe.
 */
interface DataFile extends AutoCloseable {
  /** As the number of elements of {@link #list}: whatever there are. */
  int ANY = -1;

  /**
   * Opens a file.
   *
   * @param columns those that will be read
   * @param separators of CSV
   */
  static DataFile open(Path file, Set<String> columns, ListSeparators separators) {
    for (RowFormat format : ServiceLoader.load(RowFormat.class)) {
      if (format.reads(file)) {
        return new RowsDataFile(format.open(file, columns));
      }
    }
    return new CsvDataFile(CsvReader.open(file), separators);
  }

  /** The index of a column. */
  int column(String name);

  /** Goes to the next row; returns whether there is one. */
  boolean next();

  /**
   * A field of the present row, missing if it is empty.
   *
   * @param isText ids are those of texts, else whole numbers
   */
  Value value(int column, Kind kind, boolean isText);

  /**
   * A field of the present row that is a list: its elements, which may be missing. A field that is
   * no list is one of one element.
   *
   * @param isText ids are those of texts, else whole numbers
   * @param elements how many it must have, or {@link #ANY}: an empty field of CSV is an empty list,
   *     or a missing element where there must be one; the caller checks the number
   */
  Column list(int column, Kind kind, boolean isText, int elements);

  /** An error at a field of the present row. */
  CorruptDataException error(int column, String problem);

  /** How many bytes of {@link #totalBytes} are read. */
  long bytesRead();

  /** The bytes of the file. */
  long totalBytes();

  @Override
  void close();
}
