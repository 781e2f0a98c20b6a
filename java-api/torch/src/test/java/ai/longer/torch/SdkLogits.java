package ai.longer.torch;

import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import java.util.List;

/** Logits of the SDK, which gives probabilities, corrected for sampled negatives. */
final class SdkLogits {
  private SdkLogits() {}

  /** The logit of a probability. */
  static double of(float probability) {
    return Math.log(probability / (1.0 - probability));
  }

  /**
   * Checks a model's scores.
   *
   * @param expected logits [tasks][ΣC]
   */
  static void check(double[][] expected, LongerModel model, List<Request> requests) {
    try (Ranker ranker = model.ranker()) {
      double[][] actual = new double[expected.length][expected[0].length];
      int at = 0;
      for (Request request : requests) {
        int numCandidates = request.candidates().size();
        float[] scores = ranker.rank(RankingRequest.of(request)).toArray();
        for (int task = 0; task < actual.length; task++) {
          double rate = model.config().schema().tasks().get(task).negativeSamplingRate();
          for (int c = 0; c < numCandidates; c++) {
            actual[task][at + c] = of(scores[task * numCandidates + c]) - Math.log(rate);
          }
        }
        at += numCandidates;
      }
      for (int task = 0; task < actual.length; task++) {
        Agreement.logits().check("logits of task " + task, expected[task], actual[task]);
      }
    }
  }
}
