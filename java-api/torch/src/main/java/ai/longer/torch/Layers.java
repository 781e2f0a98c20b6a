package ai.longer.torch;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** The layers that the model is made of, by the names of their parameters. */
final class Layers {
  private static final double NORM_EPSILON = 1e-5;

  private final Parameters parameters;

  Layers(Parameters parameters) {
    this.parameters = parameters;
  }

  /**
   * A pre-norm transformer block: {@code queries} look at {@code keys}.
   *
   * @param queries [batch, outputs, width]
   * @param keys [batch, keys, width] rows to look at; null = the queries themselves
   * @param visible additive mask [batch or 1, 1, outputs, keys]; null = every row sees every row
   * @param dropped the outputs for dropout; null = nothing is dropped
   * @return [batch, outputs, width]
   */
  Tensor block(
      String name,
      Tensor queries,
      @Nullable Tensor keys,
      @Nullable Tensor visible,
      int heads,
      Dropout.@Nullable Rows dropped) {
    Tensor attended = linear(name + ".out", attention(name, queries, keys, visible, heads));
    Tensor z = queries.add(drop(dropped, Dropout.OUT, attended));
    Tensor hidden = gelu(linear(name + ".fc1", norm(name + ".ln2", z)));
    return z.add(drop(dropped, Dropout.FC2, linear(name + ".fc2", hidden)));
  }

  static Tensor drop(Dropout.@Nullable Rows dropped, int site, Tensor values) {
    return dropped == null ? values : dropped.apply(site, values);
  }

  Tensor linear(String name, Tensor input) {
    return torch.linear(
        input, parameters.get(name + ".weight"), optional(parameters.get(name + ".bias")));
  }

  Tensor norm(String name, Tensor input) {
    return torch.layer_norm(
        input,
        new long[] {input.size(-1)},
        optional(parameters.get(name + ".weight")),
        optional(parameters.get(name + ".bias")),
        NORM_EPSILON,
        false);
  }

  static Tensor gelu(Tensor input) {
    return torch.gelu(input, "tanh");
  }

  static Tensor concat(long dimension, Tensor... parts) {
    return parts.length == 1 ? parts[0] : torch.cat(new TensorVector(parts), dimension);
  }

  private Tensor attention(
      String name, Tensor queries, @Nullable Tensor keys, @Nullable Tensor visible, int heads) {
    long width = queries.size(2);
    Tensor h = norm(name + ".ln1", queries);
    Tensor q;
    Tensor k;
    Tensor v;
    if (keys == null) {
      TensorVector parts = linear(name + ".qkv", h).chunk(3, 2);
      q = parts.get(0);
      k = parts.get(1);
      v = parts.get(2);
    } else {
      q = projection(name, h, 0, width);
      TensorVector parts =
          projection(name, norm(name + ".ln1", keys), width, 2 * width).chunk(2, 2);
      k = parts.get(0);
      v = parts.get(1);
    }
    Tensor attended =
        torch.scaled_dot_product_attention(
            byHead(q, heads),
            byHead(k, heads),
            byHead(v, heads),
            visible == null ? new TensorOptional() : optional(visible),
            0.0,
            false,
            new DoubleOptional(),
            false);
    return attended.transpose(1, 2).reshape(queries.size(0), queries.size(1), width);
  }

  /** Rows {@code begin} … of the map from which q, k and v are made. */
  private Tensor projection(String name, Tensor input, long begin, long count) {
    return torch.linear(
        input,
        parameters.get(name + ".qkv.weight").narrow(0, begin, count),
        optional(parameters.get(name + ".qkv.bias").narrow(0, begin, count)));
  }

  private static Tensor byHead(Tensor rows, int heads) {
    return rows.unflatten(2, heads, -1).transpose(1, 2);
  }

  private static TensorOptional optional(Tensor tensor) {
    return new TensorOptional(tensor);
  }
}
