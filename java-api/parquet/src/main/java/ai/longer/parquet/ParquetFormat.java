package ai.longer.parquet;

import ai.longer.data.RowFormat;
import ai.longer.data.Rows;
import java.nio.file.Path;
import java.util.Set;

/** Parquet, for files whose name ends in {@code .parquet}. Safe for use by several threads. */
public final class ParquetFormat implements RowFormat {
  /** For {@link java.util.ServiceLoader}. */
  public ParquetFormat() {}

  @Override
  public boolean reads(Path file) {
    return String.valueOf(file.getFileName()).endsWith(".parquet");
  }

  @Override
  public Rows open(Path file, Set<String> columns) {
    return ParquetRows.open(file, columns);
  }
}
