package ai.longer.serving;

import java.util.Arrays;

/**
 * Final vectors of a request, after the last layer norm.
 *
 * <p>Arrays are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param globals the rows that all candidates share, row-major [G, D]: CLS tokens, then under
 *     CACHEABLE the user tokens
 * @param candidates row-major [C, R, D]: a candidate's tokens, then under STRICT and FULL its own
 *     user tokens
 * @param width D
 * @param rowsPerCandidate R
 */
public record Representation(float[] globals, float[] candidates, int width, int rowsPerCandidate) {
  /**
   * Returns a copy of the last vector that all candidates share [D]: that of the last user token
   * under CACHEABLE, else of the last CLS token.
   *
   * @throws IllegalStateException if candidates share none
   */
  public float[] user() {
    if (globals.length == 0) {
      throw new IllegalStateException("[representation] candidates share no row of this model");
    }
    return Arrays.copyOfRange(globals, globals.length - width, globals.length);
  }

  /** Returns a copy of a candidate's vectors, row-major [R, D]. */
  public float[] candidate(int candidate) {
    int size = rowsPerCandidate * width;
    return Arrays.copyOfRange(candidates, candidate * size, (candidate + 1) * size);
  }
}
