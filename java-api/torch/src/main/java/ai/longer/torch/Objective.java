package ai.longer.torch;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Σ w·t·bce / Σ w·t over the candidates and tasks that have a label. */
final class Objective {
  private static final long SUM = 2; // at::Reduction::Sum

  private Objective() {}

  /**
   * @param logits [B, C, T]
   * @throws IllegalArgumentException if the batch has no labels
   */
  static Tensor loss(
      LongerConfig config,
      Precision precision,
      RequestBatch requests,
      PaddedBatch batch,
      Tensor logits) {
    float @Nullable [][] labels = requests.labels();
    if (labels == null) {
      throw new IllegalArgumentException("a loss needs labels; the batch has none");
    }
    List<Schema.Task> tasks = config.schema().tasks();
    int numTasks = tasks.size();
    double[] targets = new double[batch.numRequests() * batch.numCandidates * numTasks];
    double[] weights = new double[targets.length];
    double sum = 0;
    for (int b = 0; b < batch.numRequests(); b++) {
      for (int c = 0; c < requests.numCandidates(b); c++) {
        int candidate = requests.candidateOffsets()[b] + c;
        for (int task = 0; task < numTasks; task++) {
          float label = labels[task][candidate];
          if (!Float.isNaN(label)) {
            int at = (b * batch.numCandidates + c) * numTasks + task;
            targets[at] = label;
            weights[at] = requests.weights()[candidate] * tasks.get(task).weight();
            sum += weights[at];
          }
        }
      }
    }
    long[] sizes = {batch.numRequests(), batch.numCandidates, numTasks};
    Tensor scaled = precision.tensor(weights, sizes).div_(new Scalar(sum));
    return torch.binary_cross_entropy_with_logits(
        logits,
        precision.tensor(targets, sizes),
        new TensorOptional(scaled),
        new TensorOptional(),
        SUM);
  }
}
