package ai.longer.data;

/**
 * How far work on data is.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param phase what is being done, in a word or two
 * @param rows rows or requests done in this phase
 * @param done share of this phase that is done, 0 … 1, NaN if unknown
 * @param bytes read or written in this phase, 0 if it counts none
 * @param seconds since this phase began
 */
public record DataProgress(String phase, long rows, double done, long bytes, double seconds) {
  /** Returns the seconds left in this phase, NaN if unknown. */
  public double secondsLeft() {
    return done > 0 ? seconds * (1 - done) / done : Double.NaN;
  }
}
