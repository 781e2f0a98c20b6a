package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import org.bytedeco.pytorch.Tensor;

/** The sum of all event tokens, whatever the candidate. */
final class SumPooling extends Baseline {
  SumPooling(LongerConfig config) {
    super(config);
  }

  @Override
  Tensor history(Pass pass, Tensor events, Tensor candidates) {
    return events.sum(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
  }

  @Override
  double historyFlops(double events, double candidates) {
    return 0;
  }
}
