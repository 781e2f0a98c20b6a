package ai.longer.torch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Derivatives of a loss.
 *
 * @param dense by parameter name, zero where the loss does not depend on it
 * @param tables deduplicated gradient [n, width] of the rows that a batch names in each growable
 *     table
 */
record Gradients(Map<String, Tensor> dense, Map<NamedRows, Tensor> tables) {

  /** Differentiates {@code loss} and frees its graph. */
  static Gradients of(Tensor loss, Parameters parameters, List<NamedRows> namedRows) {
    List<Tensor> leaves = new ArrayList<>();
    parameters.names().forEach(name -> leaves.add(parameters.get(name)));
    namedRows.forEach(rows -> leaves.add(rows.leaf()));
    TensorVector derivatives =
        torch.grad(
            new TensorVector(loss),
            new TensorVector(leaves.toArray(Tensor[]::new)),
            new TensorVector(),
            new BoolOptional(),
            false,
            true);
    List<Tensor> gradients = new ArrayList<>();
    for (int i = 0; i < leaves.size(); i++) {
      Tensor derivative = derivatives.get(i);
      gradients.add(derivative.defined() ? derivative : torch.zeros_like(leaves.get(i)));
    }
    Map<String, Tensor> dense = new LinkedHashMap<>();
    int at = 0;
    for (String name : parameters.names()) {
      dense.put(name, gradients.get(at++));
    }
    Map<NamedRows, Tensor> tables = new LinkedHashMap<>();
    for (NamedRows rows : namedRows) {
      tables.put(rows, gradients.get(at++));
    }
    return new Gradients(dense, tables);
  }

  /** L2 norm over everything. */
  double norm() {
    List<Tensor> squares = new ArrayList<>();
    all().forEach(gradient -> squares.add(gradient.square().sum()));
    Tensor sum = torch.stack(new TensorVector(squares.toArray(Tensor[]::new))).sum();
    return Math.sqrt(sum.item().toDouble());
  }

  /** Scales everything in place so that the norm is at most {@code limit} (> 0). */
  void clip(double limit) {
    double norm = norm();
    if (norm > limit) {
      Scalar scale = new Scalar(limit / norm);
      all().forEach(gradient -> gradient.mul_(scale));
    }
  }

  private List<Tensor> all() {
    List<Tensor> all = new ArrayList<>(dense.values());
    all.addAll(tables.values());
    return all;
  }
}
