package ai.longer.data;

import ai.longer.CorruptDataException;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/** Any file is either read row by row, each as wide as its header, or rejected by name. */
class CsvFuzzTest {
  /** How a file is named is how it is read. */
  private static final List<Path> NAMES =
      List.of(Path.of("f.csv"), Path.of("f.tsv"), Path.of("f.csv.gz"), Path.of("f.tsv.gz"));

  /** The first byte chooses the name. */
  @FuzzTest(maxDuration = "60s")
  void readsOrRejects(byte[] bytes) {
    if (bytes.length > 0) {
      read(NAMES.get(bytes[0] & 3), new ByteArrayInputStream(bytes, 1, bytes.length - 1));
    }
  }

  private static void read(Path file, InputStream content) {
    try (CsvReader rows = CsvReader.open(file, content)) {
      int columns = rows.header().size();
      while (rows.next()) {
        for (int column = 0; column < columns; column++) {
          rows.text(column);
        }
        number(rows, columns - 1);
      }
    } catch (CorruptDataException e) {
      requireName(e, file);
    } catch (UncheckedIOException e) {
      // A file that is no gzip file.
      requireName(e, file);
    }
  }

  private static void number(CsvReader rows, int column) {
    try {
      double value = rows.doubleValue(column);
      if (!Double.isFinite(value)) {
        throw new AssertionError(value);
      }
      rows.longValue(column);
    } catch (CorruptDataException e) {
      // Not a number: said so.
    }
  }

  private static void requireName(RuntimeException e, Path file) {
    if (!String.valueOf(e.getMessage()).contains(file.toString())) {
      throw new AssertionError("does not name its file: " + e.getMessage(), e);
    }
  }
}
