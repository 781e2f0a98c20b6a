package ai.longer.data;

import java.nio.file.Path;
import java.util.List;

/** Reads rows of a CSV or TSV file with a header. */
public final class CsvReader implements AutoCloseable {
  private CsvReader() {}

  /**
   * Opens a file: tab-separated if its name ends in {@code .tsv} or {@code .tsv.gz}, else
   * comma-separated; unpacked if it ends in {@code .gz}.
   *
   * @throws java.io.UncheckedIOException if the file cannot be read
   */
  public static CsvReader open(Path file) {
    throw new UnsupportedOperationException();
  }

  /** Opens a file with a separator. */
  public static CsvReader open(Path file, char separator) {
    throw new UnsupportedOperationException();
  }

  /** Returns the column names. */
  public List<String> header() {
    throw new UnsupportedOperationException();
  }

  /** Returns the index of a column. */
  public int column(String name) {
    throw new UnsupportedOperationException();
  }

  /** Goes to the next row; returns whether there is one. */
  public boolean next() {
    throw new UnsupportedOperationException();
  }

  /** Returns the line of the present row, from 1. */
  public long line() {
    throw new UnsupportedOperationException();
  }

  /** Returns a field of the present row. */
  public String text(int column) {
    throw new UnsupportedOperationException();
  }

  /** Returns whether a field of the present row is empty. */
  public boolean isEmpty(int column) {
    throw new UnsupportedOperationException();
  }

  /** Returns a field of the present row as a whole number. */
  public long longValue(int column) {
    throw new UnsupportedOperationException();
  }

  /** Returns a field of the present row as a finite number. */
  public double doubleValue(int column) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
