package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * TWIN: multi-head attention of the candidate over the 100 events that the same attention scores
 * highest, so that search and attention agree (Chang et al., "TWIN: TWo-stage Interest Network for
 * Lifelong User Behavior Modeling in CTR Prediction at Kuaishou", KDD 2023).
 */
final class TwoStageInterest extends Baseline {
  /** Events that the search hands to the attention. */
  private static final int FOUND = 100;

  TwoStageInterest(LongerConfig config) {
    super(config);
    norm("attention.ln1", width);
    linear("attention.query.fc1", width, width);
    linear("attention.key.fc1", width, width);
    linear("attention.value.fc1", width, width);
    linear("attention.out", width, width);
  }

  @Override
  Tensor history(Pass pass, Tensor events, Tensor candidates) {
    long heads = config.heads();
    Tensor normed = pass.norm("attention.ln1", events);
    Tensor q = byHead(pass.linear("attention.query.fc1", candidates), heads);
    Tensor k = byHead(pass.linear("attention.key.fc1", normed), heads);
    Tensor v = byHead(pass.linear("attention.value.fc1", normed), heads);
    Tensor present = pass.presentColumns();
    Tensor hidden = present.sub(new Scalar(1)).mul(new Scalar(-MASKED));
    Scalar scale = new Scalar(1 / Math.sqrt((double) width / heads));
    Tensor scores = q.matmul(k.transpose(2, 3)).mul(scale).add(hidden); // [B, H, C, L]
    if (events.size(1) > FOUND) {
      Tensor relevance = scores.detach().sum(1L).unsqueeze(1); // [B, 1, C, L]
      Tensor least = torch.topk(relevance, FOUND, -1, true, true).get0().narrow(-1, FOUND - 1, 1);
      Tensor isFound = relevance.ge(least).to(scores.scalar_type());
      scores = scores.add(isFound.sub(new Scalar(1)).mul(new Scalar(-MASKED)));
    }
    Tensor weights = torch.softmax(scores, -1).mul(present);
    return pass.linear("attention.out", sideBySide(weights.matmul(v)));
  }

  @Override
  double historyFlops(double events, double candidates) {
    double maps = 2.0 * width * width * (2 * events + 2 * candidates);
    return maps + candidates * 2.0 * width * (events + Math.min(events, FOUND));
  }
}
