package ai.longer.report;

/** Sentences that explain figures, the same on every page. */
public final class Wording {
  /** What the columns of a table of quality are. */
  public static final String METRICS =
      "GAUC is the mean AUC within users, weighted by their candidates; NE is log loss over the"
          + " entropy of the positive rate, ECE the expected calibration error.";

  /** How to read {@link Charts#calibration}; goes on from a subject. */
  public static final String CALIBRATION =
      "in ten buckets of about equal size, by predicted probability. On the dashed diagonal,"
          + " predictions are right on average.";

  private Wording() {}
}
