package ai.longer;

import java.util.Arrays;

/**
 * Rows of a growable embedding table, sorted by id.
 *
 * <p>Arrays are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param ids ids in ascending order, [n]
 * @param rows the out-of-vocabulary row, then the row of each id, row-major [n + 1, width]
 * @param width values in a row
 */
public record TableRows(long[] ids, float[] rows, int width) {
  /** Checks the lengths. */
  public TableRows {
    if (width <= 0 || rows.length != Math.multiplyExact(ids.length + 1, width)) {
      throw new IllegalArgumentException(
          "[table_rows] rows must hold (ids + 1) · width values; got %d for %d ids of width %d"
              .formatted(rows.length, ids.length, width));
    }
  }

  /** Returns a copy of the row that reads as {@code id}: its own, or the out-of-vocabulary row. */
  public float[] row(long id) {
    int found = Arrays.binarySearch(ids, id);
    int row = found < 0 ? 0 : found + 1;
    return Arrays.copyOfRange(rows, row * width, (row + 1) * width);
  }
}
