package ai.longer.serving;

import java.util.Arrays;

/**
 * Final vectors of a request, after the last layer norm.
 *
 * <p>Arrays are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param globals CLS tokens, then the user global, row-major [G, D]
 * @param candidates row-major [C, D]
 * @param width D
 */
public record Representation(float[] globals, float[] candidates, int width) {
  /** Returns a copy of the user global's vector [D]. */
  public float[] user() {
    return Arrays.copyOfRange(globals, globals.length - width, globals.length);
  }

  /** Returns a copy of a candidate's vector [D]. */
  public float[] candidate(int candidate) {
    return Arrays.copyOfRange(candidates, candidate * width, (candidate + 1) * width);
  }
}
