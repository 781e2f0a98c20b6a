package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.internal.TrainerDefaults;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TrainerOptionsTest {
  @Test
  void defaultsAreThoseOfTheNativeCore() {
    TrainerOptions options = TrainerOptions.defaults();
    assertThat(
            new double[] {
              options.learningRate(),
              options.tableLearningRate(),
              options.beta1(),
              options.beta2(),
              options.epsilon(),
              options.weightDecay(),
              options.tableEpsilon(),
              options.clipNorm(),
              options.warmupSteps(),
              options.decaySteps(),
              options.decayFloor(),
              options.seed(),
              options.recomputation() == Recomputation.NONE ? 0 : -1,
              options.onNonfinite() == OnNonfinite.SKIP ? 0 : -1,
              options.precision() == Precision.FP32 ? 0 : -1
            })
        .isEqualTo(TrainerDefaults.ofTheNativeCore());
  }

  @Test
  void buildersStartFromOptions() {
    TrainerOptions options =
        TrainerOptions.builder()
            .batchSize(3)
            .epochs(4)
            .shuffleBuffer(5)
            .earlyStopping(TrainerOptions.Metric.AUC, 6)
            .seed(7)
            .recomputation(Recomputation.FULL)
            .onNonfinite(OnNonfinite.FAIL)
            .precision(Precision.BF16)
            .batchesPerStep(8)
            .checkpoint(Path.of("there"), 9)
            .build();
    TrainerOptions copy = options.toBuilder().epochs(9).build();
    assertThat(copy.batchSize()).isEqualTo(3);
    assertThat(copy.epochs()).isEqualTo(9);
    assertThat(copy.shuffleBuffer()).isEqualTo(5);
    assertThat(copy.patience()).isEqualTo(6);
    assertThat(copy.metric()).isEqualTo(TrainerOptions.Metric.AUC);
    assertThat(options.epochs()).isEqualTo(4);
    assertThat(copy.recomputation()).isEqualTo(Recomputation.FULL);
    assertThat(copy.onNonfinite()).isEqualTo(OnNonfinite.FAIL);
    assertThat(copy.precision()).isEqualTo(Precision.BF16);
    assertThat(copy.batchesPerStep()).isEqualTo(8);
    assertThat(copy.checkpointFolder()).contains(Path.of("there"));
    assertThat(copy.checkpointSteps()).isEqualTo(9);
  }
}
