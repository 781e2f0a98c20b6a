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
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What must hold of {@link TorchLonger} whatever it is compared with. */
class TorchLongerTest {
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
    return forConfigs(
        Set.of("default", "three self layers", "oldest anchor, blocks", "two tasks"),
        (config, model) -> {
          List<Request> batch = new RandomRequests(config, 4).ragged();
          LossAndGradients exact = model.gradients(batch);
          for (String name : model.parameterNames()) {
            double[] values = model.parameter(name);
            double[] gradient = exact.dense(name);
            int at = largest(gradient);
            double difference = slope(model, batch, name, values, at);
            assertEquals(difference, gradient[at], 1e-8 + 1e-6 * Math.abs(difference), name);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> floatsFollowDoubles() {
    return Configs.all().entrySet().stream()
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
    List<Request> requests = new RandomRequests(Configs.first(), 6).uniform();
    try (TorchLonger model = model(Configs.first(), Precision.DOUBLE)) {
      assertArrayEquals(alone(model, requests), model.logits(requests)[0], 1e-12);
    }
  }

  @Test
  void stepsLowerTheLossAndTouchOnlyNamedRows() {
    LongerConfig config = Configs.first();
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
    LongerConfig config = Configs.first();
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
    LongerConfig config = Configs.first();
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
    return forConfigs(Configs.all().keySet(), check);
  }

  private static Stream<DynamicTest> forConfigs(Set<String> names, Check check) {
    return Configs.all().entrySet().stream()
        .filter(entry -> names.contains(entry.getKey()))
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

  /** Derivative of the loss at one weight by the four-point central difference. */
  private static double slope(
      TorchLonger model, List<Request> batch, String name, double[] values, int at) {
    double step = 1e-4;
    double near =
        lossAt(model, batch, name, values, at, step)
            - lossAt(model, batch, name, values, at, -step);
    double far =
        lossAt(model, batch, name, values, at, 2 * step)
            - lossAt(model, batch, name, values, at, -2 * step);
    model.setParameter(name, values);
    return (8 * near - far) / (12 * step);
  }

  private static double lossAt(
      TorchLonger model, List<Request> batch, String name, double[] values, int at, double offset) {
    double[] moved = values.clone();
    moved[at] += offset;
    model.setParameter(name, moved);
    return model.gradients(batch).loss();
  }

  private static int largest(double[] values) {
    int largest = 0;
    for (int i = 1; i < values.length; i++) {
      largest = Math.abs(values[i]) > Math.abs(values[largest]) ? i : largest;
    }
    return largest;
  }
}
