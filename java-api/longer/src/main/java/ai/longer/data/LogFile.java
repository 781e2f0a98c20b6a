package ai.longer.data;

import ai.longer.CorruptDataException;
import ai.longer.Schema.Kind;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;

/**
 * A log, row by row: CSV, or what a {@link RowFormat} reads. Errors are those of {@link Rows}. Not
 * thread-safe.
 */
interface LogFile extends AutoCloseable {
  /**
   * Opens a file.
   *
   * @param columns those that will be read
   * @param between what stands between the values of a CSV field of many
   */
  static LogFile open(Path file, Set<String> columns, char between) {
    for (RowFormat format : ServiceLoader.load(RowFormat.class)) {
      if (format.reads(file)) {
        return new RowsLogFile(format.open(file, columns));
      }
    }
    return new CsvLogFile(CsvReader.open(file), between);
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

  /** An error at a field of the present row. */
  CorruptDataException error(int column, String problem);

  /** How many bytes of {@link #totalBytes} are read. */
  long bytesRead();

  /** The bytes of the file. */
  long totalBytes();

  @Override
  void close();
}
