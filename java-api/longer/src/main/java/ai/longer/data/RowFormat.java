package ai.longer.data;

import java.nio.file.Path;
import java.util.Set;

/**
 * A kind of file that {@link Rows} can be read from. Modules offer theirs as a service of {@link
 * java.util.ServiceLoader}; CSV is built in.
 *
 * <p>Implementations are safe for use by several threads.
 */
public interface RowFormat {
  /** Returns whether this format reads a file, by its name. */
  boolean reads(Path file);

  /**
   * Opens a file.
   *
   * @param columns names of the columns to read; names that the file does not have are left out
   * @throws java.io.UncheckedIOException if the file cannot be read
   * @throws ai.longer.CorruptDataException if it is no file of this format
   */
  Rows open(Path file, Set<String> columns);
}
