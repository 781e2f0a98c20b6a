package ai.longer.torch;

import java.util.Map;

/**
 * A loss and its derivatives as plain arrays.
 *
 * @param norm L2 norm over all gradients
 * @param dense row-major gradient by parameter name
 * @param tables gradient row by id, by name of a growable table
 */
public record LossAndGradients(
    double loss,
    double norm,
    Map<String, double[]> dense,
    Map<String, Map<Long, double[]>> tables) {

  /**
   * Gradient of one dense parameter, row-major.
   *
   * @throws IllegalArgumentException if there is no such parameter
   */
  public double[] dense(String name) {
    double[] gradient = dense.get(name);
    if (gradient == null) {
      throw new IllegalArgumentException("no parameter is named \"" + name + "\"");
    }
    return gradient;
  }
}
