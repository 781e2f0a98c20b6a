package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * SASRec-style: a causal transformer over all events, whose newest row stands for the history (Kang
 * and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018), in pre-norm form and with as
 * many layers as LONGER has.
 */
final class CausalTransformer extends Baseline {
  private final int layers;

  CausalTransformer(LongerConfig config) {
    super(config);
    this.layers = config.selfLayers() + 1;
    for (int i = 0; i < layers; i++) {
      String name = "layers." + i;
      norm(name + ".ln1", width);
      linear(name + ".qkv", 3 * width, width);
      linear(name + ".out", width, width);
      norm(name + ".ln2", width);
      linear(name + ".fc1", 4 * width, width);
      linear(name + ".fc2", width, 4 * width);
    }
  }

  @Override
  Tensor history(Pass pass, Tensor events, Tensor candidates) {
    Tensor visible = visible(pass);
    Tensor rows = events;
    for (int i = 0; i < layers; i++) {
      rows = block(pass, "layers." + i, rows, visible);
    }
    long newest = rows.size(1) - 1;
    return rows.narrow(1, newest, 1).mul(pass.inputs().present().narrow(1, newest, 1));
  }

  private Tensor block(Pass pass, String name, Tensor rows, Tensor visible) {
    TensorVector parts = pass.linear(name + ".qkv", pass.norm(name + ".ln1", rows)).chunk(3, 2);
    Tensor attended =
        torch.scaled_dot_product_attention(
            byHead(parts.get(0), config.heads()),
            byHead(parts.get(1), config.heads()),
            byHead(parts.get(2), config.heads()),
            new TensorOptional(visible),
            0.0,
            false,
            new DoubleOptional(),
            false);
    Tensor z = rows.add(pass.linear(name + ".out", sideBySide(attended)));
    Tensor hidden = gelu(pass.linear(name + ".fc1", pass.norm(name + ".ln2", z)));
    return z.add(pass.linear(name + ".fc2", hidden));
  }

  /** 0 where a row sees a column: itself and older events; else masked [B, 1, L, L]. */
  private static Tensor visible(Pass pass) {
    Tensor present = pass.presentColumns();
    long columns = present.size(3);
    Tensor square = present.expand(-1, -1, columns, -1);
    return square.tril(0).sub(new Scalar(1)).mul(new Scalar(-MASKED));
  }

  @Override
  double historyFlops(double events, double candidates) {
    double row = 24.0 * width * width;
    return layers * (events * row + 2.0 * events * events * width);
  }
}
