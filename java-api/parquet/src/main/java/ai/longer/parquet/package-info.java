/**
 * Reads Parquet files as {@link ai.longer.data.Rows}. On the class path {@link
 * ai.longer.data.RowFormat} finds it for files that end in {@code .parquet}.
 */
@NullMarked
package ai.longer.parquet;

import org.jspecify.annotations.NullMarked;
