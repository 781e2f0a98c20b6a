package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * HSTU: layers of pointwise SiLU attention with a bias by relative position, gated by a fourth
 * projection; the candidate stands after the newest event and sees all events and itself (Zhai et
 * al., "Actions Speak Louder than Words: Trillion-Parameter Sequential Transducers for Generative
 * Recommendations", ICML 2024). As many layers as LONGER has.
 */
final class SequentialTransducer extends Baseline {
  private final int layers;

  SequentialTransducer(LongerConfig config) {
    super(config);
    this.layers = config.selfLayers() + 1;
    for (int i = 0; i < layers; i++) {
      String name = "layers." + i;
      norm(name + ".ln1", width);
      linear(name + ".fc1", 4 * width, width); // gate, value, query, key
      norm(name + ".ln2", width);
      linear(name + ".fc2", width, width);
      declare(name + ".distance.weight", config.maxHistory() + 1L, config.heads());
    }
  }

  /** Gate [B, rows, D] and value, query, key [B, H, rows, w] of some rows. */
  private record Projections(Tensor gate, Tensor value, Tensor query, Tensor key) {}

  @Override
  Tensor history(Pass pass, Tensor events, Tensor candidates) {
    Tensor rows = events;
    Tensor scored = candidates;
    for (int i = 0; i < layers; i++) {
      String name = "layers." + i;
      Projections ofEvents = project(pass, name, rows);
      Projections ofCandidates = project(pass, name, scored);
      scored =
          transduce(pass, name, scored, ofCandidates, seen(pass, name, ofCandidates, ofEvents));
      if (i + 1 < layers) {
        Tensor seen = causal(pass, name, ofEvents);
        rows = transduce(pass, name, rows, ofEvents, seen).mul(pass.inputs().present());
      }
    }
    return scored;
  }

  private Projections project(Pass pass, String name, Tensor rows) {
    TensorVector parts =
        torch.silu(pass.linear(name + ".fc1", pass.norm(name + ".ln1", rows))).chunk(4, 2);
    return new Projections(
        parts.get(0),
        byHead(parts.get(1), config.heads()),
        byHead(parts.get(2), config.heads()),
        byHead(parts.get(3), config.heads()));
  }

  /** What events see: themselves and older ones [B, H, L, w]. */
  private Tensor causal(Pass pass, String name, Projections events) {
    Tensor present = pass.presentColumns();
    long columns = present.size(3);
    long[] distances = new long[(int) (columns * columns)];
    for (int i = 0; i < distances.length; i++) {
      distances[i] = Math.max(0, i / columns - i % columns);
    }
    Tensor bias = bias(pass, name, distances).view(1, config.heads(), columns, columns);
    Tensor visible = present.expand(-1, -1, columns, -1).tril(0);
    Tensor scores = events.query().matmul(events.key().transpose(2, 3)).add(bias);
    return attention(scores).mul(visible).matmul(events.value());
  }

  /** What candidates see: all events and themselves [B, H, C, w]. */
  private Tensor seen(Pass pass, String name, Projections candidates, Projections events) {
    long columns = events.key().size(2);
    long[] distances = new long[(int) columns];
    for (int i = 0; i < columns; i++) {
      distances[i] = columns - i;
    }
    Tensor bias = bias(pass, name, distances).view(1, config.heads(), 1, columns);
    Tensor scores = candidates.query().matmul(events.key().transpose(2, 3)).add(bias);
    Tensor ofEvents = attention(scores).mul(pass.presentColumns()).matmul(events.value());
    Tensor own = candidates.query().mul(candidates.key()).sum(-1L).unsqueeze(-1);
    Tensor ownBias = bias(pass, name, new long[] {0}).view(1, config.heads(), 1, 1);
    return ofEvents.add(attention(own.add(ownBias)).mul(candidates.value()));
  }

  private static Tensor bias(Pass pass, String name, long[] distances) {
    Tensor index = Tensor.create(distances, distances.length);
    return pass.rows(name + ".distance.weight", index).transpose(0, 1);
  }

  private Tensor attention(Tensor scores) {
    return torch.silu(scores).mul(new Scalar(1.0 / config.maxHistory()));
  }

  private static Tensor transduce(
      Pass pass, String name, Tensor rows, Projections own, Tensor seen) {
    Tensor gated = pass.norm(name + ".ln2", sideBySide(seen)).mul(own.gate());
    return rows.add(pass.linear(name + ".fc2", gated));
  }

  @Override
  double historyFlops(double events, double candidates) {
    double map = 2.0 * width * width;
    double event = map * (2 * layers + 3 * (layers - 1)); // keys and values, then gate, query, out
    double attention = 2.0 * width * events * events * (layers - 1); // half of the square
    double candidate = layers * (5 * map + 4.0 * width * (events + 1));
    return events * event + attention + candidates * candidate;
  }
}
