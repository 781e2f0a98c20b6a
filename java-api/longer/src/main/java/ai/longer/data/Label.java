package ai.longer.data;

/**
 * A task's label in a file.
 *
 * @param column the column
 * @param atLeast the label is whether the number there is at least so much; NaN: it is the number
 */
record Label(String column, double atLeast) {
  /** The label of a number; NaN, a missing one, stays missing. */
  float of(float number, DataFile file, int index) {
    if (Float.isNaN(number)) {
      return Float.NaN;
    }
    if (!Double.isNaN(atLeast)) {
      return number >= (float) atLeast ? 1 : 0;
    }
    if (!(number >= 0 && number <= 1)) {
      throw file.error(index, "a label must be in 0 … 1; got " + number);
    }
    return number;
  }
}
