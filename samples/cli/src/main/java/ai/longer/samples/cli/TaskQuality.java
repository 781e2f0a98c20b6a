package ai.longer.samples.cli;

import ai.longer.evaluation.Bootstrap;
import ai.longer.evaluation.Calibration;
import ai.longer.evaluation.Predictions;
import ai.longer.report.Numbers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How good the predictions of one task are. What needs both classes is null where one is absent.
 *
 * @param candidates labelled candidates
 * @param positiveRate share of them with label 1
 * @param auc with 95 % bounds, users drawn with replacement
 * @param calibrationError expected calibration error over the buckets
 * @param scores of positives and negatives
 */
record TaskQuality(
    String task,
    long candidates,
    long users,
    double positiveRate,
    Bootstrap.@Nullable Interval auc,
    @Nullable Double gauc,
    double logLoss,
    @Nullable Double normalizedEntropy,
    double calibrationError,
    List<Calibration.Bucket> calibration,
    List<ScoreBin> scores,
    List<ByHistory> aucByHistoryLength) {
  private static final int BUCKETS = 10;
  private static final int SCORE_BINS = 25;
  private static final long SEED = 1;

  /** Of a class of histories: draws of fewer say little. */
  private static final long LEAST_USERS = 10;

  /** First length of each class of histories. */
  private static final long[] STARTS = {0, 50, 100, 200, 500, 1000, 2000, 5000, 10_000};

  /**
   * The share of positives, and that of negatives, whose scores are from {@code from} to less than
   * {@code to}.
   */
  record ScoreBin(double from, double to, double positives, double negatives) {}

  /**
   * The candidates of users who had had so many events.
   *
   * @param to last length, null where there is none
   */
  record ByHistory(
      long from,
      @Nullable Long to,
      long candidates,
      long users,
      double positiveRate,
      Bootstrap.Interval auc) {
    long end() {
      return to == null ? Long.MAX_VALUE : to;
    }

    String title() {
      return to == null
          ? Numbers.count(from) + " or more"
          : Numbers.count(from) + "–" + Numbers.count(to);
    }
  }

  /** {@code replicates}: draws of users. */
  static TaskQuality of(String task, Predictions predictions, int replicates) {
    boolean hasBoth = predictions.hasBothClasses();
    Calibration calibration = Calibration.of(predictions, BUCKETS);
    return new TaskQuality(
        task,
        predictions.size(),
        users(predictions),
        predictions.positiveRate(),
        hasBoth ? Bootstrap.auc(predictions, replicates, SEED) : null,
        hasUserOfBothClasses(predictions) ? predictions.gauc() : null,
        predictions.logLoss(),
        hasBoth ? predictions.normalizedEntropy() : null,
        calibration.expectedError(),
        calibration.buckets(),
        hasBoth ? scoreBins(predictions) : List.of(),
        byHistory(predictions, replicates));
  }

  private static long users(Predictions predictions) {
    return Arrays.stream(predictions.users()).distinct().count();
  }

  private static boolean hasUserOfBothClasses(Predictions predictions) {
    Map<Long, Float> labelOf = new HashMap<>();
    float[] labels = predictions.labels();
    long[] users = predictions.users();
    for (int row = 0; row < labels.length; row++) {
      Float first = labelOf.putIfAbsent(users[row], labels[row]);
      if (first != null && first != labels[row]) {
        return true;
      }
    }
    return false;
  }

  private static List<ScoreBin> scoreBins(Predictions predictions) {
    float[] scores = predictions.scores();
    float[] labels = predictions.labels();
    double end = 0;
    for (float score : scores) {
      end = Math.max(end, score);
    }
    double width = Math.max(Math.ceil(end * 20) / 20, 0.05) / SCORE_BINS;
    long[][] counts = new long[2][SCORE_BINS];
    for (int row = 0; row < scores.length; row++) {
      int bin = Math.min((int) (scores[row] / width), SCORE_BINS - 1);
      counts[(int) labels[row]][bin]++;
    }
    double negatives = Arrays.stream(counts[0]).sum();
    double positives = Arrays.stream(counts[1]).sum();
    List<ScoreBin> bins = new ArrayList<>();
    for (int i = 0; i < SCORE_BINS; i++) {
      bins.add(
          new ScoreBin(
              i * width, (i + 1) * width, counts[1][i] / positives, counts[0][i] / negatives));
    }
    return bins;
  }

  /**
   * Classes that hold at least {@link #LEAST_USERS} users and both labels; those that do not are
   * joined with the next shorter ones, what is left at the short end with the shortest.
   */
  private static List<ByHistory> byHistory(Predictions predictions, int replicates) {
    long[] lengths = predictions.historyLengths();
    List<Long> starts = new ArrayList<>(); // longest first
    long end = Long.MAX_VALUE;
    for (int c = STARTS.length - 1; c >= 0; c--) {
      if (isEnough(rows(predictions, lengths, STARTS[c], end))) {
        starts.add(STARTS[c]);
        end = STARTS[c];
      }
    }
    if (starts.isEmpty()) {
      return List.of();
    }
    starts.set(starts.size() - 1, STARTS[0]);
    List<ByHistory> classes = new ArrayList<>();
    for (int c = starts.size() - 1; c >= 0; c--) {
      long from = starts.get(c);
      long next = c == 0 ? Long.MAX_VALUE : starts.get(c - 1);
      Predictions rows = rows(predictions, lengths, from, next).orElseThrow();
      classes.add(
          new ByHistory(
              from,
              c == 0 ? null : next - 1,
              rows.size(),
              users(rows),
              rows.positiveRate(),
              Bootstrap.auc(rows, replicates, SEED)));
    }
    return classes;
  }

  private static boolean isEnough(Optional<Predictions> rows) {
    return rows.isPresent() && users(rows.get()) >= LEAST_USERS && rows.get().hasBothClasses();
  }

  /** The rows of histories of {@code from} to less than {@code end} events. */
  private static Optional<Predictions> rows(
      Predictions predictions, long[] lengths, long from, long end) {
    IntPredicate isIn = row -> lengths[row] >= from && lengths[row] < end;
    return IntStream.range(0, lengths.length).anyMatch(isIn)
        ? Optional.of(predictions.where(isIn))
        : Optional.empty();
  }
}
