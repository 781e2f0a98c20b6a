package ai.longer.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.longer.Device;
import ai.longer.DeviceException;
import ai.longer.Doctor;
import ai.longer.LongerModel;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The natives with CUDA on a machine without a GPU. {@code mvn -Pcuda} brings them along. */
@ExtendWith(NoLeaks.class)
class CudaNativesTest {
  private final String report = Doctor.report();

  @BeforeEach
  void skipElsewhere() {
    assumeTrue(
        report.contains("native jars found: linux-x86_64 linux-x86_64-cuda13"),
        "the natives with CUDA are not on the class path: mvn -Pcuda");
    assumeTrue(report.contains("best device: cpu"), "this machine has a GPU");
  }

  @Test
  void theyAreChosenAndSayThatThereIsNoGpu() {
    assertThat(report)
        .containsPattern("native library: .*linux-x86_64-cuda13/libjnilonger\\.so")
        .containsPattern("cuda: .*driver.*built with CUDA 13");
  }

  @Test
  void theCpuWorksAndIsTheBestDevice() {
    for (Device device : new Device[] {Device.best(), Device.cpu(1)}) {
      try (Trainer trainer = Trainer.create(Samples.CONFIG, device, TrainerOptions.defaults())) {
        assertThat(trainer.step(Samples.labelled(5)).step()).isEqualTo(1);
        try (LongerModel model = trainer.model();
            Ranker ranker = model.ranker()) {
          assertThat(ranker.rank(RankingRequest.of(Samples.request(9, 3, 1))).numCandidates())
              .isEqualTo(3);
        }
      }
    }
  }

  @Test
  void aForcedGpuFailsAndNamesDriverToolkitAndRemedy() {
    assertThatThrownBy(() -> LongerModel.create(Samples.CONFIG, 1, Device.cuda()))
        .isInstanceOfSatisfying(DeviceException.class, e -> assertThat(e.isFatal()).isFalse())
        .hasMessageContaining("CUDA device 0 cannot be used")
        .hasMessageContaining("driver")
        .hasMessageContaining("built with CUDA 13")
        .hasMessageContaining("version 580 or later")
        .hasMessageContaining("or use the CPU device");
    assertThatThrownBy(
            () -> Trainer.create(Samples.CONFIG, Device.cuda(), TrainerOptions.defaults()))
        .isInstanceOf(DeviceException.class);
  }
}
