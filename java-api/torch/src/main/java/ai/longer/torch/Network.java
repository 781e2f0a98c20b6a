package ai.longer.torch;

import ai.longer.LongerConfig;
import ai.longer.TimeMode;
import java.util.Arrays;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** The forward pass over a padded batch, in the order of LONGER's Figure 1. */
final class Network {
  private static final double NORM_EPSILON = 1e-5;

  private final LongerConfig config;
  private final Parameters parameters;
  private final Precision precision;

  Network(LongerConfig config, Parameters parameters, Precision precision) {
    this.config = config;
    this.parameters = parameters;
    this.precision = precision;
  }

  /**
   * Logits of every candidate row.
   *
   * @param inputs embedding rows of the batch
   * @return [B, C, T]; rows of pad candidates hold numbers without meaning
   */
  Tensor logits(PaddedBatch batch, Embeddings inputs) {
    Tensor candidates = linear("global.candidate", inputs.candidates());
    Tensor rows = concat(1, mergedTokens(batch, inputs), globalTokens(batch, inputs), candidates);
    int numHeadRows = config.numGlobals() + batch.numCandidates;
    int numQueryRows = batch.numQueries + numHeadRows;
    for (int layer = 0; layer <= config.selfLayers(); layer++) {
      int numOutputs = layer == config.selfLayers() ? numHeadRows : numQueryRows;
      float[] mask =
          layer == 0
              ? Masks.cross(batch, config.numGlobals(), numOutputs)
              : Masks.self(batch, config.numGlobals(), numOutputs);
      long numMasks = mask.length / (numOutputs * rows.size(1));
      Tensor visible = precision.tensor(mask, numMasks, 1, numOutputs, rows.size(1));
      rows = block("layers." + layer, rows, numOutputs, visible, config.heads());
    }
    return head(batch, rows);
  }

  /**
   * [B, S, D]: event tokens (§3.2), the transformer inside each group, K neighbours side by side
   * (§3.4).
   */
  private Tensor mergedTokens(PaddedBatch batch, Embeddings inputs) {
    int numRequests = batch.numRequests();
    if (batch.numGroups == 0) {
      return precision.tensor(new float[0], numRequests, 0, config.modelWidth());
    }
    Tensor x = inputs.events().add(positions(batch));
    if (config.time() != TimeMode.NONE) {
      Tensor time = select("event_encoder.time_bucket.weight", batch.buckets);
      x = concat(2, x, time.view(numRequests, batch.numSlots(), config.timeWidth()));
    }
    Tensor events = linear("event_encoder.fc2", gelu(linear("event_encoder.fc1", x)));
    long numGroups = (long) numRequests * batch.numGroups;
    int merge = config.mergeFactor();
    Tensor slots = events.view(numGroups, merge, config.eventWidth());
    if (config.innerLayers() > 0) {
      slots = slots.add(parameters.get("token_merge.slot.weight"));
      Tensor visible =
          batch.isUniform
              ? null
              : precision.tensor(Masks.slots(batch, merge), numGroups, 1, merge, merge);
      for (int i = 0; i < config.innerLayers(); i++) {
        slots = block("token_merge.inner." + i, slots, merge, visible, config.innerHeads());
      }
    }
    if (!batch.isUniform) {
      slots = slots.mul(precision.tensor(isEvent(batch), numGroups, merge, 1));
    }
    return slots.reshape(numRequests, batch.numGroups, config.modelWidth());
  }

  private Tensor positions(PaddedBatch batch) {
    String table = "event_encoder.position.weight";
    return batch.sharesPositions()
        ? select(table, Arrays.copyOf(batch.positions, batch.numSlots())).unsqueeze(0)
        : select(table, batch.positions).view(batch.numRequests(), batch.numSlots(), -1);
  }

  /** [B, G, D]: CLS tokens, then the user global (§3.3). */
  private Tensor globalTokens(PaddedBatch batch, Embeddings inputs) {
    Tensor time = select("global.user_time_bucket.weight", batch.userBuckets);
    Tensor features = inputs.users();
    Tensor user = linear("global.user", features == null ? time : concat(1, features, time));
    if (config.clsTokens() == 0) {
      return user.unsqueeze(1);
    }
    Tensor cls = parameters.get("global.cls").unsqueeze(0);
    return concat(1, cls.expand(batch.numRequests(), -1, -1), user.unsqueeze(1));
  }

  /** [B, C, T]: the globals and the candidate side by side through an MLP. */
  private Tensor head(PaddedBatch batch, Tensor rows) {
    Tensor y = norm("head.ln", rows);
    Tensor globals = y.narrow(1, 0, config.numGlobals()).flatten(1, 2).unsqueeze(1);
    Tensor candidates = y.narrow(1, config.numGlobals(), batch.numCandidates);
    Tensor input = concat(2, globals.expand(-1, batch.numCandidates, -1), candidates);
    return linear("head.fc2", gelu(linear("head.fc1", input)));
  }

  /**
   * A pre-norm transformer block whose last {@code numOutputs} rows are queries; keys and values
   * come from all rows.
   *
   * @param rows [batch, rows, width]
   * @param visible additive mask [batch or 1, 1, numOutputs, rows]; null = every row sees every row
   * @return [batch, numOutputs, width]
   */
  private Tensor block(
      String name, Tensor rows, int numOutputs, @Nullable Tensor visible, int heads) {
    Tensor h = norm(name + ".ln1", rows);
    Tensor attended = attention(name, h, numOutputs, visible, heads);
    Tensor z = last(rows, numOutputs).add(linear(name + ".out", attended));
    Tensor hidden = gelu(linear(name + ".fc1", norm(name + ".ln2", z)));
    return z.add(linear(name + ".fc2", hidden));
  }

  private Tensor attention(
      String name, Tensor h, int numOutputs, @Nullable Tensor visible, int heads) {
    long width = h.size(2);
    Tensor q;
    Tensor k;
    Tensor v;
    if (numOutputs == h.size(1)) {
      TensorVector parts = linear(name + ".qkv", h).chunk(3, 2);
      q = parts.get(0);
      k = parts.get(1);
      v = parts.get(2);
    } else {
      Tensor weight = parameters.get(name + ".qkv.weight");
      Tensor bias = parameters.get(name + ".qkv.bias");
      q =
          torch.linear(
              last(h, numOutputs), weight.narrow(0, 0, width), optional(bias.narrow(0, 0, width)));
      TensorVector parts =
          torch
              .linear(
                  h, weight.narrow(0, width, 2 * width), optional(bias.narrow(0, width, 2 * width)))
              .chunk(2, 2);
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
    return attended.transpose(1, 2).reshape(h.size(0), numOutputs, width);
  }

  private static Tensor byHead(Tensor rows, int heads) {
    return rows.unflatten(2, heads, -1).transpose(1, 2);
  }

  private static Tensor last(Tensor rows, int count) {
    return rows.size(1) == count ? rows : rows.narrow(1, rows.size(1) - count, count);
  }

  private Tensor linear(String name, Tensor input) {
    return torch.linear(
        input, parameters.get(name + ".weight"), optional(parameters.get(name + ".bias")));
  }

  private Tensor norm(String name, Tensor input) {
    return torch.layer_norm(
        input,
        new long[] {input.size(-1)},
        optional(parameters.get(name + ".weight")),
        optional(parameters.get(name + ".bias")),
        NORM_EPSILON,
        false);
  }

  private Tensor select(String table, long[] rows) {
    return parameters.get(table).index_select(0, Tensor.create(rows, rows.length));
  }

  private static float[] isEvent(PaddedBatch batch) {
    float[] values = new float[batch.events.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = batch.events[i] == PaddedBatch.PAD ? 0F : 1F;
    }
    return values;
  }

  private static Tensor gelu(Tensor input) {
    return torch.gelu(input, "tanh");
  }

  private static Tensor concat(long dimension, Tensor... parts) {
    return torch.cat(new TensorVector(parts), dimension);
  }

  private static TensorOptional optional(Tensor tensor) {
    return new TensorOptional(tensor);
  }
}
