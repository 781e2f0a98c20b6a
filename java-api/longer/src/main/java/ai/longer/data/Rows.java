package ai.longer.data;

import ai.longer.CorruptDataException;

/**
 * Rows of a file with named columns, one after another, in bounded memory. Not thread-safe.
 *
 * <p>Errors name the file and the place in it: {@link CorruptDataException} for content, {@link
 * java.io.UncheckedIOException} for reading.
 */
public interface Rows extends AutoCloseable {
  /** Returns whether there is a column of this name. */
  boolean hasColumn(String name);

  /**
   * Returns the index of a column.
   *
   * @throws CorruptDataException if there is none; the message names those that there are
   */
  int column(String name);

  /** Goes to the next row; returns whether there is one. */
  boolean next();

  /** Returns a field of the present row; valid until {@link #next}. */
  Cell cell(int column);

  /**
   * Returns an error at a field of the present row, for checks of the caller's own.
   *
   * @param problem what is wrong with it
   */
  CorruptDataException error(int column, String problem);

  /** Returns how many bytes of {@link #totalBytes} are read, for progress. */
  long bytesRead();

  /** Returns the bytes of the file. */
  long totalBytes();

  /** Closes the file. */
  @Override
  void close();
}
