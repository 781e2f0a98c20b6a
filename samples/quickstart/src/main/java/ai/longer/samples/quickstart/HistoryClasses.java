package ai.longer.samples.quickstart;

import ai.longer.data.Request;
import ai.longer.evaluation.Predictions;
import java.util.ArrayList;
import java.util.List;

/**
 * Test rows grouped by the length of the full history their request had.
 *
 * @param classes short histories first; classes without rows of both labels are left out
 */
record HistoryClasses(List<HistoryClass> classes) {
  private static final int[] STARTS = {0, 50, 100, 200, 500};

  /** Test rows whose history had at least {@code from} and fewer than {@code to} events. */
  record HistoryClass(String title, int from, int to, boolean[] rows) {
    Predictions of(Predictions predictions) {
      return predictions.where(row -> rows[row]);
    }

    int size() {
      int size = 0;
      for (boolean row : rows) {
        size += row ? 1 : 0;
      }
      return size;
    }
  }

  /** {@code predictions}: of any model, to know the labels. */
  static HistoryClasses of(List<Request> test, Predictions predictions) {
    List<HistoryClass> classes = new ArrayList<>();
    for (int c = 0; c < STARTS.length; c++) {
      int from = STARTS[c];
      boolean isLast = c + 1 == STARTS.length;
      int to = isLast ? Integer.MAX_VALUE : STARTS[c + 1];
      String title = isLast ? from + " or more" : from + "–" + (to - 1);
      boolean[] rows = new boolean[predictions.size()];
      int row = 0;
      for (Request request : test) {
        int events = request.history().size();
        for (int i = 0; i < request.candidates().size(); i++) {
          rows[row++] = events >= from && events < to;
        }
      }
      HistoryClass made = new HistoryClass(title, from, to, rows);
      if (made.size() > 0 && made.of(predictions).hasBothClasses()) {
        classes.add(made);
      }
    }
    return new HistoryClasses(List.copyOf(classes));
  }
}
