package ai.longer.torch;

import ai.longer.training.TrainerOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * AdamW for dense parameters, row-wise Adagrad for growable tables, one clip over both (LONGER
 * §3.6).
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
final class Optimizer implements AutoCloseable {
  private final TrainerOptions options;
  private final Parameters parameters;
  private final Map<String, Moments> moments = new LinkedHashMap<>();
  private long step;

  private record Moments(Tensor first, Tensor second) {}

  Optimizer(TrainerOptions options, Parameters parameters) {
    this.options = options;
    this.parameters = parameters;
    try (PointerScope scope = new PointerScope()) {
      for (String name : parameters.names()) {
        Tensor weights = parameters.get(name);
        moments.put(
            name,
            new Moments(
                torch.zeros_like(weights).retainReference(),
                torch.zeros_like(weights).retainReference()));
      }
    }
  }

  /**
   * Updates every parameter and the named rows of every table in place; may scale the gradients.
   */
  void step(Gradients gradients) {
    step++;
    if (options.clipNorm() > 0) {
      gradients.clip(options.clipNorm());
    }
    gradients.dense().forEach(this::adamW);
    gradients.tables().forEach(this::adagrad);
  }

  /** Steps done. */
  long numSteps() {
    return step;
  }

  /** Share of the learning rates in this step: linear warm-up, then a cosine. */
  private double schedule() {
    double warmup =
        options.warmupSteps() > 0 ? Math.min(1.0, (double) step / options.warmupSteps()) : 1.0;
    if (options.decaySteps() == 0) {
      return warmup;
    }
    double cosine = Math.cos(Math.PI * Math.min(1.0, (double) step / options.decaySteps()));
    double floor = options.decayFloor();
    return warmup * (floor + (1 - floor) * 0.5 * (1 + cosine));
  }

  private void adamW(String name, Tensor gradient) {
    double rate = options.learningRate() * schedule();
    double beta1 = options.beta1();
    double beta2 = options.beta2();
    Tensor weights = parameters.get(name).data();
    Moments pair = Objects.requireNonNull(moments.get(name), name);
    pair.first().mul_(new Scalar(beta1)).add_(gradient, new Scalar(1 - beta1));
    pair.second().mul_(new Scalar(beta2)).addcmul_(gradient, gradient, new Scalar(1 - beta2));
    double correction1 = 1 - Math.pow(beta1, (double) step);
    double correction2 = 1 - Math.pow(beta2, (double) step);
    if (Parameters.isDecayed(name)) {
      weights.mul_(new Scalar(1 - rate * options.weightDecay()));
    }
    Tensor root = pair.second().sqrt().mul_(new Scalar(1 / Math.sqrt(correction2)));
    weights.addcdiv_(
        pair.first(), root.add_(new Scalar(options.epsilon())), new Scalar(-rate / correction1));
  }

  private void adagrad(NamedRows named, Tensor gradient) {
    double rate = options.tableLearningRate() * schedule();
    long[] rows = named.rows();
    Tensor index = Tensor.create(rows, rows.length);
    GrowableTable table = named.table();
    Tensor sums = table.sums().index_select(0, index).add_(gradient.square().mean(-1).unsqueeze(1));
    table.sums().index_copy_(0, index, sums);
    Tensor root = sums.sqrt().add_(new Scalar(options.tableEpsilon()));
    Tensor updated = named.leaf().detach().sub(gradient.div(root).mul_(new Scalar(rate)));
    table.rows().index_copy_(0, index, updated);
  }

  @Override
  public void close() {
    for (Moments pair : moments.values()) {
      pair.first().close();
      pair.second().close();
    }
    moments.clear();
  }
}
