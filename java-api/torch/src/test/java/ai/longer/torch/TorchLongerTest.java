package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.LongerConfig;
import ai.longer.TableRows;
import ai.longer.data.Request;
import ai.longer.training.TrainerOptions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What must hold of {@link TorchLonger} whatever it is compared with. */
class TorchLongerTest {
  /** Of the four-point central difference along a random direction in all parameters. */
  private static final double STEP = 5e-6;

  @TestFactory
  Stream<DynamicTest> scoresAloneAsInABatch() {
    return forEachConfig(
        (config, model) -> {
          List<Request> requests = new RandomRequests(config, 3).ragged();
          assertArrayEquals(alone(model, requests), model.logits(requests)[0], 1e-12);
        });
  }

  @TestFactory
  Stream<DynamicTest> gradientsMatchCentralDifferences() {
    return forEachConfig(
        (config, model) -> {
          List<Request> batch = new RandomRequests(config, 4).ragged();
          for (int pass = 0; pass < OptionGrid.numPassesBefore(config); pass++) {
            model.gradients(batch);
          }
          LossAndGradients exact = model.gradients(batch);
          Map<String, double[]> weights = new HashMap<>();
          Map<String, double[]> direction = new HashMap<>();
          Random random = new Random(1);
          double expected = 0;
          for (String name : model.parameterNames()) {
            double[] values = model.parameter(name);
            double[] gradient = exact.dense(name);
            double[] step = random.doubles(values.length, -1, 1).toArray();
            for (int i = 0; i < step.length; i++) {
              expected += gradient[i] * step[i];
            }
            weights.put(name, values);
            direction.put(name, step);
          }
          DoubleUnaryOperator loss = distance -> lossAt(model, batch, weights, direction, distance);
          double near = loss.applyAsDouble(STEP) - loss.applyAsDouble(-STEP);
          double far = loss.applyAsDouble(2 * STEP) - loss.applyAsDouble(-2 * STEP);
          double difference = (8 * near - far) / (12 * STEP);
          assertEquals(difference, expected, 1e-8 + 1e-6 * Math.abs(difference));
        });
  }

  @TestFactory
  Stream<DynamicTest> candidatesScoreAloneAsTogether() {
    return forEachConfig(
        (config, model) -> {
          Request all = new RandomRequests(config, 3).uniform().get(0);
          double[] together = model.logits(List.of(all))[0];
          for (int c = 0; c < together.length; c++) {
            Request one = RandomRequests.withCandidate(all, c);
            assertEquals(together[c], model.logits(List.of(one))[0][0], 1e-12);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> floatsFollowDoubles() {
    return OptionGrid.all().entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      LongerConfig config = entry.getValue();
                      List<Request> batch = new RandomRequests(config, 5).ragged();
                      try (TorchLonger exact = model(config, Precision.DOUBLE);
                          TorchLonger fast = model(config, Precision.FLOAT)) {
                        for (String name : exact.parameterNames()) {
                          fast.setParameter(name, exact.parameter(name));
                        }
                        double[][] expected = exact.logits(batch);
                        double[][] actual = fast.logits(batch);
                        for (int task = 0; task < expected.length; task++) {
                          for (int c = 0; c < expected[task].length; c++) {
                            assertEquals(expected[task][c], actual[task][c], 2e-5);
                          }
                        }
                      }
                    }));
  }

  @Test
  void scoresAloneAsInAnUnpaddedBatch() {
    List<Request> requests = new RandomRequests(OptionGrid.first(), 6).uniform();
    try (TorchLonger model = model(OptionGrid.first(), Precision.DOUBLE)) {
      assertArrayEquals(alone(model, requests), model.logits(requests)[0], 1e-12);
    }
  }

  @Test
  void stepsLowerTheLossAndTouchOnlyNamedRows() {
    LongerConfig config = OptionGrid.first();
    List<Request> batch = new RandomRequests(config, 7).ragged();
    try (TorchLonger model = model(config, Precision.FLOAT)) {
      model.setTable("movie", new TableRows(new long[] {0, 1000}, new float[3 * 6], 6));
      double first = model.step(batch);
      double last = first;
      for (int i = 0; i < 20; i++) {
        last = model.step(batch);
      }
      assertTrue(last < 0.9 * first, () -> "the loss stayed at " + first);
      for (double value : model.tableRow("movie", 1000)) {
        assertEquals(0, value);
      }
      assertTrue(Math.abs(model.tableRow("movie", 0)[0]) > 0);
    }
  }

  @Test
  void emptyHistoriesScoreAndDifferentiate() {
    LongerConfig config = OptionGrid.first();
    List<Request> batch = new RandomRequests(config, 8).withoutHistories();
    try (TorchLonger model = model(config, Precision.DOUBLE)) {
      LossAndGradients gradients = model.gradients(batch);
      assertTrue(Double.isFinite(gradients.loss()));
      for (double value : gradients.dense("event_encoder.fc1.weight")) {
        assertEquals(0, value);
      }
    }
  }

  @Test
  void namesWhatIsWrongWithAParameter() {
    LongerConfig config = OptionGrid.first();
    try (TorchLonger model = model(config, Precision.FLOAT)) {
      IllegalArgumentException unknown =
          assertThrows(
              IllegalArgumentException.class, () -> model.setParameter("head.fc9", new double[1]));
      assertTrue(unknown.toString().contains("head.fc9"));
      IllegalArgumentException size =
          assertThrows(
              IllegalArgumentException.class,
              () -> model.setParameter("head.ln.bias", new double[3]));
      assertTrue(size.toString().contains("32"));
      assertThrows(IllegalArgumentException.class, () -> model.tableRow("genre", 1));
    }
  }

  private interface Check {
    void run(LongerConfig config, TorchLonger model);
  }

  private static Stream<DynamicTest> forEachConfig(Check check) {
    return OptionGrid.all().entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      try (TorchLonger model = model(entry.getValue(), Precision.DOUBLE)) {
                        check.run(entry.getValue(), model);
                      }
                    }));
  }

  private static TorchLonger model(LongerConfig config, Precision precision) {
    return TorchLonger.create(config, TrainerOptions.builder().seed(11).build(), precision);
  }

  /** Logits of the first task, one request at a time. */
  private static double[] alone(TorchLonger model, List<Request> requests) {
    return requests.stream()
        .flatMapToDouble(request -> Arrays.stream(model.logits(List.of(request))[0]))
        .toArray();
  }

  private static double lossAt(
      TorchLonger model,
      List<Request> batch,
      Map<String, double[]> weights,
      Map<String, double[]> direction,
      double distance) {
    weights.forEach(
        (name, values) -> {
          double[] moved = values.clone();
          double[] step = Found.in(direction, name);
          Arrays.setAll(moved, i -> values[i] + distance * step[i]);
          model.setParameter(name, moved);
        });
    return model.gradients(batch).loss();
  }
}
