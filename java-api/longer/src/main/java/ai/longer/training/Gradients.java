package ai.longer.training;

import java.util.Map;

/**
 * Loss and gradients of one batch, copied.
 *
 * <p>Arrays are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param loss sum w·bce / sum w
 * @param parameters gradient of every dense parameter by name, row-major
 * @param tables gradient of every growable table by name
 */
public record Gradients(
    double loss, Map<String, float[]> parameters, Map<String, TableGradient> tables) {
  /** Copies the maps. */
  public Gradients {
    parameters = Map.copyOf(parameters);
    tables = Map.copyOf(tables);
  }
}
