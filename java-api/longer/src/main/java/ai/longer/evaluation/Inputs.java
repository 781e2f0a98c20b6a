package ai.longer.evaluation;

/** Argument checks of this package: each failure names the function, the column and the row. */
final class Inputs {
  private Inputs() {}

  static void checkLength(String where, String column, int got, int expected) {
    if (got != expected) {
      throw new IllegalArgumentException(
          "[%s] %s must have as many rows as scores; got %d, expected %d"
              .formatted(where, column, got, expected));
    }
  }

  static void checkScores(String where, float[] scores) {
    if (scores.length == 0) {
      throw new IllegalArgumentException("[" + where + "] needs at least one row; got none");
    }
    for (int i = 0; i < scores.length; i++) {
      if (Float.isNaN(scores[i])) {
        throw new IllegalArgumentException("[%s] scores[%d] is NaN".formatted(where, i));
      }
    }
  }

  static void checkProbabilities(String where, float[] scores) {
    checkScores(where, scores);
    for (int i = 0; i < scores.length; i++) {
      if (scores[i] < 0 || scores[i] > 1) {
        throw new IllegalArgumentException(
            "[%s] scores[%d] must be a probability in [0, 1]; got %s"
                .formatted(where, i, scores[i]));
      }
    }
  }

  static void checkLabels(String where, float[] labels, int expected) {
    checkLength(where, "labels", labels.length, expected);
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] != 0 && labels[i] != 1) {
        throw new IllegalArgumentException(
            "[%s] labels[%d] must be 0 or 1; got %s".formatted(where, i, labels[i]));
      }
    }
  }
}
