package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What must hold of {@link TorchLonger} whatever it is compared with. */
class TorchLongerTest {
  private static final OptimizerSettings SETTINGS =
      new OptimizerSettings(1e-3, 0.05, 0.9, 0.999, 1e-8, 0.01, 1e-8, 1.0, 0, 0, 0);

  @TestFactory
  Stream<DynamicTest> scoresAloneAsInABatch() {
    return forEachShape(
        (shape, model) -> {
          RequestBatch batch = new RandomRequests(shape, 3).ragged();
          double[][] together = model.logits(batch);
          for (int b = 0; b < batch.numRequests(); b++) {
            double[][] alone = model.logits(RandomRequests.only(batch, b));
            for (int task = 0; task < alone.length; task++) {
              for (int c = 0; c < alone[task].length; c++) {
                double expected = alone[task][c];
                assertEquals(expected, together[task][batch.candidateOffsets()[b] + c], 1e-12);
              }
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> gradientsMatchCentralDifferences() {
    return forEachShape(
        (shape, model) -> {
          RequestBatch batch = new RandomRequests(shape, 4).ragged();
          LossAndGradients exact = model.gradients(batch);
          for (String name : model.parameterNames()) {
            double[] values = model.parameter(name);
            double[] gradient = exact.dense().get(name);
            int at = largest(gradient);
            double difference = slope(model, batch, name, values, at);
            assertEquals(difference, gradient[at], 1e-8 + 1e-6 * Math.abs(difference), name);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> floatsFollowDoubles() {
    return Shapes.all().entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      ModelShape shape = entry.getValue();
                      RequestBatch batch = new RandomRequests(shape, 5).ragged();
                      try (TorchLonger exact = model(shape, Precision.DOUBLE);
                          TorchLonger fast = model(shape, Precision.FLOAT)) {
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
  void uniformBatchesScoreAsTheirRequestsAlone() {
    ModelShape shape = Shapes.all().get("default");
    RequestBatch batch = new RandomRequests(shape, 6).uniform();
    try (TorchLonger model = model(shape, Precision.DOUBLE)) {
      double[] together = model.logits(batch)[0];
      for (int b = 0; b < batch.numRequests(); b++) {
        double[] alone = model.logits(RandomRequests.only(batch, b))[0];
        for (int c = 0; c < alone.length; c++) {
          assertEquals(alone[c], together[3 * b + c], 1e-12);
        }
      }
    }
  }

  @Test
  void stepsLowerTheLossAndTouchOnlyNamedRows() {
    ModelShape shape = Shapes.all().get("default");
    RequestBatch batch = new RandomRequests(shape, 7).ragged();
    try (TorchLonger model = model(shape, Precision.FLOAT)) {
      model.setTable("movie", new long[] {0, 1000}, new float[3 * 6]);
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
    ModelShape shape = Shapes.all().get("default");
    RequestBatch batch = new RandomRequests(shape, 8).withoutHistories();
    try (TorchLonger model = model(shape, Precision.DOUBLE)) {
      LossAndGradients gradients = model.gradients(batch);
      assertTrue(Double.isFinite(gradients.loss()));
      for (double value : gradients.dense().get("event_encoder.fc1.weight")) {
        assertEquals(0, value);
      }
    }
  }

  @Test
  void namesWhatIsWrongWithAParameter() {
    ModelShape shape = Shapes.all().get("default");
    try (TorchLonger model = model(shape, Precision.FLOAT)) {
      IllegalArgumentException unknown =
          assertThrows(
              IllegalArgumentException.class, () -> model.setParameter("head.fc9", new double[1]));
      assertTrue(unknown.getMessage().contains("head.fc9"));
      IllegalArgumentException size =
          assertThrows(
              IllegalArgumentException.class,
              () -> model.setParameter("head.ln.bias", new double[3]));
      assertTrue(size.getMessage().contains("32"));
      assertThrows(IllegalArgumentException.class, () -> model.tableRow("genre", 1));
    }
  }

  private interface Check {
    void run(ModelShape shape, TorchLonger model);
  }

  private static Stream<DynamicTest> forEachShape(Check check) {
    return Shapes.all().entrySet().stream()
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

  private static TorchLonger model(ModelShape shape, Precision precision) {
    return new TorchLonger(shape, SETTINGS, precision, 11);
  }

  /** Derivative of the loss at one weight by the four-point central difference. */
  private static double slope(
      TorchLonger model, RequestBatch batch, String name, double[] values, int at) {
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
      TorchLonger model, RequestBatch batch, String name, double[] values, int at, double offset) {
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
