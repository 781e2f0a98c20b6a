package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import org.bytedeco.pytorch.Tensor;

/**
 * DIN: events weighted by an activation unit over event, candidate and their product, and summed;
 * the weights are not normalised (Zhou et al., "Deep Interest Network for Click-Through Rate
 * Prediction", KDD 2018).
 *
 * <p>The unit's first layer is linear in event, candidate and product, so it is computed in three
 * parts: per event, per candidate, per pair.
 */
final class DeepInterest extends Baseline {
  /** Hidden units of the activation unit. */
  private static final int HIDDEN = 32;

  DeepInterest(LongerConfig config) {
    super(config);
    linear("unit.event.fc1", HIDDEN, width);
    linear("unit.candidate.fc1", HIDDEN, width);
    linear("unit.product.fc1", HIDDEN, width);
    linear("unit.fc2", 1, HIDDEN);
  }

  @Override
  Tensor history(Pass pass, Tensor events, Tensor candidates) {
    Tensor ofEvents = pass.linear("unit.event.fc1", events).unsqueeze(1); // [B, 1, L, h]
    Tensor ofCandidates =
        pass.linear("unit.candidate.fc1", candidates).unsqueeze(2); // [B, C, 1, h]
    // W (e ⊙ c) = (W ⊙ c) e: [B, C, h, D] × [B, 1, D, L].
    Tensor scaled =
        candidates.unsqueeze(2).mul(pass.get("unit.product.fc1.weight").view(1, 1, HIDDEN, width));
    Tensor ofPairs =
        scaled
            .flatten(1, 2)
            .matmul(events.transpose(1, 2))
            .unflatten(1, candidates.size(1), HIDDEN)
            .transpose(2, 3)
            .add(pass.get("unit.product.fc1.bias")); // [B, C, L, h]
    Tensor hidden = gelu(ofPairs.add(ofEvents).add(ofCandidates));
    Tensor weights = pass.linear("unit.fc2", hidden).squeeze(3); // [B, C, L]
    return weights.matmul(events);
  }

  @Override
  double historyFlops(double events, double candidates) {
    double units = 2.0 * HIDDEN * width * (events + candidates);
    double pair = HIDDEN * (2.0 * width + 2) + 2.0 * width;
    return units + candidates * (width * HIDDEN + events * pair);
  }
}
