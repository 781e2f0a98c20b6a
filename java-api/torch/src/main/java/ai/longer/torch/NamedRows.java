package ai.longer.torch;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a growable table that one batch names, each once: a leaf for autograd, whose gradient
 * is the deduplicated gradient of the table.
 */
final class NamedRows {
  private final GrowableTable table;
  private final boolean insert;
  private int[] leafRowOfRow;
  private long[] rows = new long[64];
  private int count;
  private @Nullable Tensor leaf;

  /**
   * @param insert count the ids and give those that are admitted a row, as training does
   */
  NamedRows(GrowableTable table, boolean insert) {
    this.table = table;
    this.insert = insert;
    this.leafRowOfRow = new int[2 * table.numRows()];
    Arrays.fill(leafRowOfRow, -1);
  }

  GrowableTable table() {
    return table;
  }

  /** [n] rows of the table, in the order of the leaf's rows. */
  long[] rows() {
    return Arrays.copyOf(rows, count);
  }

  /** [n, width]; call it after the last {@link #leafRow}. */
  Tensor leaf() {
    if (leaf == null) {
      leaf = table.rows().index_select(0, Tensor.create(rows(), count));
      leaf.set_requires_grad(true);
    }
    return leaf;
  }

  /** Row of the leaf that holds the row of {@code id}. */
  int leafRow(long id) {
    int row = insert ? table.count(id) : table.find(id);
    if (row >= leafRowOfRow.length) {
      int old = leafRowOfRow.length;
      leafRowOfRow = Arrays.copyOf(leafRowOfRow, 2 * (row + 1));
      Arrays.fill(leafRowOfRow, old, leafRowOfRow.length, -1);
    }
    if (leafRowOfRow[row] < 0) {
      if (count == rows.length) {
        rows = Arrays.copyOf(rows, 2 * count);
      }
      rows[count] = row;
      leafRowOfRow[row] = count++;
    }
    return leafRowOfRow[row];
  }
}
