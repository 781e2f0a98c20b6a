package ai.longer.parquet;

import ai.longer.CorruptDataException;
import ai.longer.data.Cell;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;

/** Any file is either read, cell by cell, or rejected by name. */
class ParquetFuzzTest {
  /** A few bytes may claim billions of equal rows. */
  private static final int MAX_ROWS = 1_000;

  private static final Path FILE = Path.of("fuzzed.parquet");

  /** Else the first input would wait for all classes of the readers, longer than one may take. */
  @BeforeAll
  static void loadClasses() throws IOException {
    for (String seed : List.of("plain", "delta", "dictionary_v2", "gzip", "snappy", "zstd")) {
      String name = "ParquetFuzzTestInputs/readsOrRejects/" + seed;
      try (InputStream bytes =
          Objects.requireNonNull(ParquetFuzzTest.class.getResourceAsStream(name))) {
        read(bytes.readAllBytes());
      }
    }
  }

  @FuzzTest(maxDuration = "60s")
  void readsOrRejects(byte[] bytes) {
    read(bytes);
  }

  private static void read(byte[] bytes) {
    try (ParquetRows rows =
        ParquetRows.open(FILE, new MemoryFile(bytes), Set.of("user", "items", "tags"))) {
      for (int row = 0; row < MAX_ROWS && rows.next(); row++) {
        for (String name : Set.of("user", "items", "tags")) {
          if (rows.hasColumn(name)) {
            check(rows.cell(rows.column(name)));
          }
        }
      }
    } catch (CorruptDataException e) {
      if (!String.valueOf(e.getMessage()).contains(FILE.toString())) {
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
