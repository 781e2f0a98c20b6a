package ai.longer.torch;

import ai.longer.Schema.Kind;
import ai.longer.data.Column;
import java.util.Arrays;
import java.util.List;

/**
 * One feature of all events, requests or candidates of a batch, row after row.
 *
 * @param ids those of all rows
 * @param offsets [rows + 1] ids of row i from {@code offsets[i]} on; a row may have none
 * @param numbers [rows] of a numeric feature, NaN = missing; else empty
 */
record FeatureColumn(long[] ids, int[] offsets, float[] numbers) {

  /** The columns of requests, joined. */
  static FeatureColumn of(Kind kind, List<Column> columns) {
    int numRows = columns.stream().mapToInt(Column::size).sum();
    long[] ids = new long[columns.stream().mapToInt(Column::numIds).sum()];
    int[] offsets = new int[numRows + 1];
    float[] numbers = new float[kind == Kind.NUMERIC ? numRows : 0];
    int row = 0;
    int numIds = 0;
    for (Column column : columns) {
      for (int i = 0; i < column.size(); i++) {
        switch (kind) {
          case NUMERIC -> numbers[row] = column.number(i);
          case CATEGORICAL -> {
            if (!column.isMissing(i)) {
              ids[numIds++] = column.id(i);
            }
          }
          case MANY_VALUED -> {
            for (long id : column.ids(i)) {
              ids[numIds++] = id;
            }
          }
        }
        offsets[++row] = numIds;
      }
    }
    return new FeatureColumn(Arrays.copyOf(ids, numIds), offsets, numbers);
  }

  int numRows() {
    return offsets.length - 1;
  }

  int numIds(int row) {
    return offsets[row + 1] - offsets[row];
  }

  long id(int row, int i) {
    return ids[offsets[row] + i];
  }
}
