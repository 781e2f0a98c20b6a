package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.GlobalVisibility;
import ai.longer.Head;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.QueryStrategy;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * 300 steps from the same weights on the same batches: the SDK in 32 bits learns as PyTorch does in
 * 64 bits.
 */
class LearningCurveTest {
  private static final int NUM_STEPS = 300;
  private static final int WINDOW = 20;
  private static final int NUM_IDS = 9;

  /**
   * Of a mean loss. Rounding of 1e-7 a step grows along the way, as any difference of weights does:
   * to 1.4e-5 here. Both ε and the rates keep it small, see {@link SdkAgreementTest}.
   */
  private static final double TOLERANCE = 1e-4;

  private static final TrainerOptions OPTIONS =
      TrainerOptions.builder()
          .learningRate(1e-3)
          .tableLearningRate(1e-2)
          .epsilon(3e-3)
          .tableEpsilon(1e-2)
          .clipNorm(1)
          .warmupSteps(20)
          .decaySteps(NUM_STEPS)
          .build();

  @Test
  void losesAsPyTorchDoes() {
    sameCurve(OptionGrid.first());
  }

  @Test
  void losesAsPyTorchDoesWithEveryRowInTheHead() {
    sameCurve(
        OptionGrid.first().toBuilder()
            .queries(QueryStrategy.RECENT_AND_UNIFORM, 3)
            .globalVisibility(GlobalVisibility.FULL)
            .head(Head.ALL)
            .dropout(0.1)
            .build());
  }

  private static void sameCurve(LongerConfig config) {
    try (Trainer trainer = Trainer.create(config, Device.cpu(2), OPTIONS);
        TorchLonger torch = TorchLonger.create(config, OPTIONS, Precision.DOUBLE)) {
      trainer.gradients(batch(config, new Random(0), 40)); // Every id has a row from here on.
      try (LongerModel model = trainer.model()) {
        torch.copyFrom(model);
      }
      Random random = new Random(1);
      double[] actual = new double[NUM_STEPS];
      double[] expected = new double[NUM_STEPS];
      for (int step = 0; step < NUM_STEPS; step++) {
        List<Request> batch = batch(config, random, 8);
        actual[step] = trainer.step(batch).loss();
        expected[step] = torch.step(batch);
      }
      double first = mean(expected, WINDOW);
      double last = mean(expected, NUM_STEPS);
      assertTrue(last < 0.4 * first, () -> "the loss went from " + first + " to " + last);
      for (int end = WINDOW; end <= NUM_STEPS; end++) {
        int before = end;
        assertEquals(
            mean(expected, end), mean(actual, end), TOLERANCE, () -> "before step " + before);
      }
    }
  }

  /** Mean of the losses of the {@link #WINDOW} steps before {@code end}. */
  private static double mean(double[] losses, int end) {
    double sum = 0;
    for (int step = end - WINDOW; step < end; step++) {
      sum += losses[step];
    }
    return sum / WINDOW;
  }

  /** The label tells whether the numbers of the candidate and of the newest event add up to 9. */
  private static List<Request> batch(LongerConfig config, Random random, int numRequests) {
    List<Request> requests = new ArrayList<>();
    for (int b = 0; b < numRequests; b++) {
      int numEvents = 6 + random.nextInt(12);
      long[] movies = random.longs(numEvents, 0, NUM_IDS).toArray();
      long[] candidates = random.longs(4, 0, NUM_IDS).toArray();
      float[] labels = new float[candidates.length];
      for (int c = 0; c < candidates.length; c++) {
        labels[c] = candidates[c] + movies[numEvents - 1] >= NUM_IDS ? 1 : 0;
      }
      History history =
          History.builder(config.schema())
              .times(LongStream.range(0, numEvents).map(i -> 1000 + 60 * i).toArray())
              .longs("movie", movies)
              .longs("genre", LongStream.of(movies).map(movie -> movie % 5).toArray())
              .build();
      Candidates items =
          Candidates.builder(config.schema())
              .longs("movie", candidates)
              .longs("genre", LongStream.of(candidates).map(movie -> movie % 5).toArray())
              .build();
      requests.add(
          Request.builder(history, items)
              .referenceTime(2500)
              .user("user", random.nextInt(NUM_IDS))
              .context("shelf", random.nextInt(5))
              .labels("like", labels)
              .build());
    }
    return requests;
  }
}
