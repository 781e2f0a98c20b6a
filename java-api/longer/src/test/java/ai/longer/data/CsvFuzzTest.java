package ai.longer.data;

import ai.longer.CorruptDataException;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Any file is either read row by row, each as wide as its header, or rejected by name. */
class CsvFuzzTest {
  @FuzzTest(maxDuration = "60s")
  void readsOrRejects(byte[] bytes) throws IOException {
    if (bytes.length == 0) {
      return;
    }
    // The first byte chooses how the file is named, which is how it is read.
    String suffix =
        switch (bytes[0] & 3) {
          case 0 -> ".csv";
          case 1 -> ".tsv";
          case 2 -> ".csv.gz";
          default -> ".tsv.gz";
        };
    Path file = Files.createTempFile("fuzz", suffix);
    try {
      Files.write(file, java.util.Arrays.copyOfRange(bytes, 1, bytes.length));
      read(file);
    } finally {
      Files.delete(file);
    }
  }

  private static void read(Path file) throws IOException {
    try (CsvReader rows = CsvReader.open(file)) {
      int columns = rows.header().size();
      while (rows.next()) {
        for (int column = 0; column < columns; column++) {
          rows.text(column);
        }
        number(rows, columns - 1);
      }
    } catch (CorruptDataException e) {
      requireName(e, file);
    } catch (java.io.UncheckedIOException e) {
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
