package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.TableRows;
import ai.longer.data.Request;
import ai.longer.training.Gradients;
import ai.longer.training.StepResult;
import ai.longer.training.TableGradient;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The SDK's 32-bit numbers against {@link TorchLonger} in 64 bits: logits, loss, every gradient,
 * five optimizer steps.
 *
 * <p>Both start from the same 32-bit weights, so what may differ is rounding inside a pass. {@link
 * Agreement} says how much.
 */
class SdkAgreementTest {
  private static final int NUM_STEPS = 5;

  /**
   * Every part of the optimizer at work. Both ε are far above the gradients' rounding, lest a
   * gradient that is next to 0 moves its weight by a whole rate in the direction of its rounding.
   */
  private static final TrainerOptions OPTIONS =
      TrainerOptions.builder()
          .learningRate(1e-3)
          .tableLearningRate(5e-3)
          .epsilon(1e-3)
          .tableEpsilon(1e-2)
          .weightDecay(0.1)
          .clipNorm(0.5)
          .warmupSteps(3)
          .decaySteps(10)
          .decayFloor(0.1)
          .seed(20)
          .build();

  @TestFactory
  Stream<DynamicTest> logits() {
    return forEachConfig(
        (config, pair) -> {
          // Ids of the second batch that the first one did not name read the out-of-vocabulary row.
          List<Request> unseen = new RandomRequests(config, 2).ragged();
          for (List<Request> requests : List.of(pair.requests, unseen)) {
            double[][] expected = pair.torch.logits(requests);
            float[] scores = pair.trainer.predict(requests);
            int numCandidates = expected[0].length;
            assertEquals(scores.length, expected.length * numCandidates);
            for (int task = 0; task < expected.length; task++) {
              // Scores are corrected for negatives that training data left out.
              double shift = Math.log(config.schema().tasks().get(task).negativeSamplingRate());
              double[] logits = new double[numCandidates];
              for (int c = 0; c < numCandidates; c++) {
                logits[c] = SdkLogits.of(scores[task * numCandidates + c]) - shift;
              }
              Agreement.logits().check("logits of task " + task, expected[task], logits);
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> lossAndGradients() {
    return forEachConfig(
        (config, pair) -> {
          Gradients actual = pair.trainer.gradients(pair.requests);
          LossAndGradients expected = pair.torch.gradients(pair.requests);
          Agreement.loss().check("loss", expected.loss(), actual.loss());
          assertEquals(expected.dense().keySet(), actual.parameters().keySet());
          expected
              .dense()
              .forEach(
                  (name, gradient) ->
                      Agreement.gradient(expected.norm())
                          .check(
                              "gradient of " + name,
                              gradient,
                              Found.in(actual.parameters(), name)));
          assertEquals(expected.tables().keySet(), actual.tables().keySet());
          expected
              .tables()
              .forEach(
                  (name, rows) ->
                      checkRows(name, expected.norm(), rows, Found.in(actual.tables(), name)));
        });
  }

  @TestFactory
  Stream<DynamicTest> fiveSteps() {
    return forEachConfig(
        (config, pair) -> {
          for (int step = 1; step <= NUM_STEPS; step++) {
            StepResult actual = pair.trainer.step(pair.requests);
            double expected = pair.torch.step(pair.requests);
            Agreement.trajectory().check("loss of step " + step, expected, actual.loss());
          }
          try (LongerModel trained = pair.trainer.model()) {
            Agreement weights = Agreement.weights(OPTIONS.learningRate(), NUM_STEPS);
            for (String name : trained.parameterNames()) {
              weights.check(name, pair.torch.parameter(name), trained.parameter(name));
            }
            Agreement rows = Agreement.weights(OPTIONS.tableLearningRate(), NUM_STEPS);
            for (Schema.Table table : config.schema().tables()) {
              if (table.rows() == 0) {
                TableRows actual = trained.table(table.name());
                for (long id : actual.ids()) {
                  double[] expected = pair.torch.tableRow(table.name(), id);
                  rows.check(table.name() + " " + id, expected, actual.row(id));
                }
                double[] unknown = pair.torch.tableRow(table.name(), RandomRequests.UNKNOWN_ID);
                rows.check(
                    table.name() + ", out of vocabulary",
                    unknown,
                    actual.row(RandomRequests.UNKNOWN_ID));
              }
            }
          }
        });
  }

  private static void checkRows(
      String table, double globalNorm, Map<Long, double[]> expected, TableGradient actual) {
    assertEquals(expected.keySet().stream().toList(), Arrays.stream(actual.ids()).boxed().toList());
    int width = actual.width();
    for (int i = 0; i < actual.ids().length; i++) {
      long id = actual.ids()[i];
      float[] row = Arrays.copyOfRange(actual.rows(), i * width, (i + 1) * width);
      Agreement.gradient(globalNorm)
          .check("gradient of " + table + " " + id, Found.in(expected, id), row);
    }
  }

  private interface Check {
    void run(LongerConfig config, Pair pair);
  }

  private static Stream<DynamicTest> forEachConfig(Check check) {
    return OptionGrid.all().entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      try (Pair pair = new Pair(entry.getValue())) {
                        check.run(entry.getValue(), pair);
                      }
                    }));
  }

  /**
   * The SDK's trainer and PyTorch's twin with equal weights. Ids of {@code requests} that occur
   * twice or more have a row, the others have none before the test is over.
   */
  private static final class Pair implements AutoCloseable {
    private final List<Request> requests;
    private final Trainer trainer;
    private final TorchLonger torch;

    Pair(LongerConfig config) {
      requests = new RandomRequests(config, 1).ragged();
      trainer = Trainer.create(config, Device.cpu(2), OPTIONS);
      torch = TorchLonger.create(config, OPTIONS, Precision.DOUBLE);
      for (int pass = 0; pass < OptionGrid.numPassesBefore(config); pass++) {
        trainer.gradients(requests);
        torch.gradients(requests);
      }
      try (LongerModel model = trainer.model()) {
        torch.copyFrom(model);
      }
    }

    @Override
    public void close() {
      trainer.close();
      torch.close();
    }
  }
}
