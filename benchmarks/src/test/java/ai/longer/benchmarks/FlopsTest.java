package ai.longer.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.longer.LongerConfig;
import org.junit.jupiter.api.Test;

class FlopsTest {
  /** Each linear map costs 2 per weight and row; attention 2 · 2 · D per query and key. */
  @Test
  void countsTheSmallestModelByHand() {
    LongerConfig config =
        Workload.config(8).toBuilder()
            .eventWidth(4)
            .mergeFactor(2)
            .innerTransformer(false)
            .heads(2)
            .recentQueries(1)
            .selfLayers(0)
            .build();
    double d = 4;
    double width = 8;
    double events = 4;
    double groups = 2;
    double layer = 12 * width * width; // weights of a layer
    double globals = 2;
    double candidates = 3;

    double eventMaps = 2 * d * (32 + 8 + 16) + 2 * d * d;
    double user = 2 * events * eventMaps + 2 * groups * 2 * width * width;
    double inputs = 2 * width * (32 + 16) + candidates * 2 * width * 32;
    double rows = (globals + candidates) * (2 * layer + 4 * width * (groups + globals));
    double head = candidates * 2 * (width * 3 * width + width);

    Flops flops = Flops.forward(config, 4, 3);
    assertEquals(user, flops.user());
    assertEquals(inputs + rows + head, flops.candidates());
    assertEquals(3 * (user + inputs + rows + head), flops.trainingStep());
  }

  @Test
  void growsByTheSameAmountForEveryGroupOfEvents() {
    LongerConfig config = Workload.config(10_000);
    double first = Flops.forward(config, 2000, 8).total() - Flops.forward(config, 1000, 8).total();
    double last = Flops.forward(config, 10_000, 8).total() - Flops.forward(config, 9000, 8).total();
    assertEquals(first, last, 1e-9 * first);
  }

  @Test
  void statisticsKeepMiddleAndEnds() {
    assertEquals(new Statistics(2, 1, 5), Statistics.of(5, 1, 2));
    assertEquals(new Statistics(1.5, 1, 2), Statistics.of(2, 1));
  }
}
