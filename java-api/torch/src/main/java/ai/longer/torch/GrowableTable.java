package ai.longer.torch;

import ai.longer.TableRows;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;

/**
 * An embedding table that grows: row 0 is read by ids that training has not seen, every other row
 * belongs to one id. Keeps the row-wise Adagrad sums beside the rows.
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
final class GrowableTable implements AutoCloseable {
  private static final int FIRST_CAPACITY = 1024;
  private static final double DEVIATION = 0.05;

  private final Precision precision;
  private final int admission;
  private final Map<Long, Integer> rowOfId = new HashMap<>();

  /** Occurrences of ids that have no row yet. */
  private final Map<Long, Integer> pending = new HashMap<>();

  private long[] idOfRow = new long[FIRST_CAPACITY];

  /** [capacity, width]. */
  private Tensor rows;

  /** [capacity, 1] sums of mean squared gradients. */
  private Tensor sums;

  /**
   * @param admission occurrences after which an id gets a row
   */
  GrowableTable(Precision precision, int width, int admission) {
    this.precision = precision;
    this.admission = admission;
    try (PointerScope scope = new PointerScope()) {
      rows = fresh(FIRST_CAPACITY, width).retainReference();
      sums = zeros(FIRST_CAPACITY, 1).retainReference();
    }
  }

  Tensor rows() {
    return rows;
  }

  Tensor sums() {
    return sums;
  }

  int numRows() {
    return rowOfId.size() + 1;
  }

  long id(int row) {
    return idOfRow[row];
  }

  /** Row of an id, 0 if it has none. */
  int find(long id) {
    return rowOfId.getOrDefault(id, 0);
  }

  /** Row of an id that occurs in training: a fresh random one when it is admitted, till then 0. */
  int count(long id) {
    Integer found = rowOfId.get(id);
    if (found != null) {
      return found;
    }
    if (pending.merge(id, 1, Integer::sum) < admission) {
      return 0;
    }
    return insert(id);
  }

  private int insert(long id) {
    pending.remove(id);
    int row = numRows();
    if (row == idOfRow.length) {
      grow();
    }
    rowOfId.put(id, row);
    idOfRow[row] = id;
    return row;
  }

  /** The rows, ids in the order of their admission, rounded to 32 bits. */
  TableRows export() {
    long[] ids = Arrays.copyOfRange(idOfRow, 1, numRows());
    try (PointerScope scope = new PointerScope()) {
      return new TableRows(ids, Precision.floats(rows.narrow(0, 0, numRows())), (int) rows.size(1));
    }
  }

  /**
   * Replaces the table's content and forgets the Adagrad sums; occurrences of ids without a row
   * stay.
   *
   * @param values [1 + ids.length, width], the row of unseen ids first
   */
  void set(long[] ids, float[] values) {
    rowOfId.clear();
    for (long id : ids) {
      insert(id);
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor source = precision.tensor(values, numRows(), rows.size(1));
      rows.narrow(0, 0, numRows()).copy_(source);
      sums.zero_();
    }
  }

  @Override
  public void close() {
    rows.close();
    sums.close();
  }

  private void grow() {
    int old = idOfRow.length;
    idOfRow = Arrays.copyOf(idOfRow, 2 * old);
    try (PointerScope scope = new PointerScope()) {
      Tensor moreRows = fresh(2 * old, (int) rows.size(1));
      moreRows.narrow(0, 0, old).copy_(rows);
      Tensor moreSums = zeros(2 * old, 1);
      moreSums.narrow(0, 0, old).copy_(sums);
      rows.close();
      sums.close();
      rows = moreRows.retainReference();
      sums = moreSums.retainReference();
    }
  }

  private Tensor zeros(int numRows, int width) {
    return precision.tensor(new float[numRows * width], numRows, width);
  }

  /** Random rows, the first one zero as nothing has trained it. */
  private Tensor fresh(int numRows, int width) {
    Tensor fresh = zeros(numRows, width);
    fresh.narrow(0, 1, numRows - 1).normal_(0, DEVIATION, new GeneratorOptional());
    return fresh;
  }
}
