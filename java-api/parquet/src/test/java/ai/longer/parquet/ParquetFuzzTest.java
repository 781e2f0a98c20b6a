package ai.longer.parquet;

import ai.longer.CorruptDataException;
import ai.longer.data.Cell;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Any file is either read, cell by cell, or rejected by name. */
class ParquetFuzzTest {
  /** A few bytes may claim billions of equal rows. */
  private static final int MAX_ROWS = 10_000;

  @FuzzTest(maxDuration = "60s")
  void readsOrRejects(byte[] bytes) throws IOException {
    Path file = Files.createTempFile("fuzz", ".parquet");
    try {
      Files.write(file, bytes);
      read(file);
    } finally {
      Files.delete(file);
    }
  }

  private static void read(Path file) {
    try (ParquetRows rows = ParquetRows.open(file, Set.of("user", "items", "tags"))) {
      for (int row = 0; row < MAX_ROWS && rows.next(); row++) {
        for (String name : Set.of("user", "items", "tags")) {
          if (rows.hasColumn(name)) {
            check(rows.cell(rows.column(name)));
          }
        }
      }
    } catch (CorruptDataException e) {
      if (!String.valueOf(e.getMessage()).contains(file.toString())) {
        throw new AssertionError("does not name its file", e);
      }
    }
  }

  private static void check(Cell cell) {
    int end = 0;
    for (int element = 0; element < cell.elements(); element++) {
      if (cell.begin(element) != end || cell.end(element) < end) {
        throw new AssertionError("elements overlap");
      }
      end = cell.end(element);
    }
    if (end > cell.size()) {
      throw new AssertionError("elements reach beyond the values");
    }
  }
}
