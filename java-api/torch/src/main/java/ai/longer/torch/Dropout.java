package ai.longer.torch;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The factors 0 and 1 / (1 − p) of one optimizer step, bit by bit those of native/docs/model.md
 * ("Dropout"): Philox4x32-10 keyed by seed and step, counted by column, row, request and site.
 */
final class Dropout {
  /** Result of {@code out}, of {@code fc2}, and the head's hidden activations. */
  static final int OUT = 0;

  static final int FC2 = 1;
  static final int HEAD = 2;

  /** Rows after the merged ones are numbered from here. */
  static final int FIRST_SIDE_ROW = 1 << 31;

  private static final long WORD = 0xFFFF_FFFFL;

  private final double share;
  private final Precision precision;
  private final int keyLow;
  private final int keyHigh;

  private Dropout(double share, long seed, long step, Precision precision) {
    this.share = share;
    this.precision = precision;
    long key = mix(seed ^ mix(step));
    this.keyLow = (int) key;
    this.keyHigh = (int) (key >>> 32);
  }

  /**
   * Of one step.
   *
   * @param step number of the step, from 1
   * @return null when nothing is dropped
   */
  static @Nullable Dropout of(double share, long seed, long step, Precision precision) {
    return share == 0 ? null : new Dropout(share, seed, step, precision);
  }

  /** The rows of a layer; {@code requests} and {@code ordinals} name each. */
  record Rows(Dropout dropout, int layer, int[] requests, int[] ordinals) {

    /**
     * Drops elements.
     *
     * @param values [… rows …, width], the rows in the order of {@link #requests}
     */
    Tensor apply(int site, Tensor values) {
      int width = (int) values.size(-1);
      double[] factors = new double[requests.length * width];
      for (int row = 0; row < requests.length; row++) {
        for (int column = 0; column < width; column += 4) {
          int[] words = {column / 4, ordinals[row], requests[row], 4 * layer + site};
          dropout.philox(words);
          for (int i = 0; i < 4 && column + i < width; i++) {
            factors[row * width + column + i] = dropout.factor(words[i]);
          }
        }
      }
      return values.mul(dropout.precision.tensor(factors, values.shape()));
    }
  }

  private double factor(int word) {
    boolean isDropped = Integer.toUnsignedLong(word) < (long) Math.floor(share * 0x1p32);
    return isDropped ? 0 : 1 / (1 - share);
  }

  private void philox(int[] counter) {
    int low = keyLow;
    int high = keyHigh;
    for (int round = 0; round < 10; round++) {
      long a = 0xD2511F53L * (counter[0] & WORD);
      long b = 0xCD9E8D57L * (counter[2] & WORD);
      counter[0] = (int) (b >>> 32) ^ counter[1] ^ low;
      counter[1] = (int) b;
      counter[2] = (int) (a >>> 32) ^ counter[3] ^ high;
      counter[3] = (int) a;
      low += 0x9E3779B9;
      high += 0xBB67AE85;
    }
  }

  private static long mix(long x) {
    x ^= x >>> 33;
    x *= 0xff51afd7ed558ccdL;
    x ^= x >>> 33;
    x *= 0xc4ceb9fe1a85ec53L;
    return x ^ x >>> 33;
  }
}
