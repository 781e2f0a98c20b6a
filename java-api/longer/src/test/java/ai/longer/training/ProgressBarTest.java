package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.training.TrainingResult.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private long now = 1_000_000_000L;

  private ProgressBar bar(boolean terminal) {
    return new ProgressBar(
        new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal, () -> now);
  }

  private String printed() {
    String text = bytes.toString(StandardCharsets.UTF_8);
    bytes.reset();
    return text;
  }

  private void step(ProgressBar bar, long step, double millis) {
    now += (long) (millis * 1e6);
    bar.onStep(new StepResult(step, 0.5, 10, 1, 1e-3, false, 100, 20_000, 800, 0, ""));
  }

  @Test
  void linesComeEveryFewSecondsWithoutATerminal() {
    ProgressBar bar = bar(false);
    bar.onBegin(new TrainingPlan(2, 100, OptionalLong.of(1000)));
    for (int i = 1; i <= 4; i++) {
      step(bar, i, 1000);
    }
    assertThat(printed()).isEmpty();
    step(bar, 5, 1000);
    // 500 of 2000 requests in 5 s.
    assertThat(printed())
        .isEqualToNormalizingNewlines(
            "epoch 1/2  50 % loss 0.5000  100 requests/s  20.0k events/s  ETA 0:15\n");
  }

  @Test
  void barsRedrawThemselvesOnATerminal() {
    ProgressBar bar = bar(true);
    bar.onBegin(new TrainingPlan(1, 100, OptionalLong.of(400)));
    step(bar, 1, 50);
    assertThat(printed()).isEmpty();
    step(bar, 2, 60);
    assertThat(printed())
        .startsWith("\r\033[Kepoch 1/1 [============            ]  50 %")
        .doesNotContain("\n");
  }

  @Test
  void validationTimeIsNotStepTime() {
    ProgressBar bar = bar(false);
    bar.onBegin(new TrainingPlan(2, 100, OptionalLong.empty()));
    step(bar, 1, 1000);
    bar.onEpoch(new EpochResult(1, 1, 0.5, 100, 20_000, 800, 1));
    now += 60_000_000_000L;
    bar.onValidation(new ValidationResult(1, 1, 0.25, 0.75, 10, true));
    assertThat(printed())
        .isEqualToNormalizingNewlines(
            """
            epoch 1/2  loss 0.5000  100 requests in 0:01
            validation  log loss 0.2500  AUC 0.7500  best so far
            """);
    step(bar, 2, 1000);
    assertThat(printed()).contains("100 requests/s").contains("ETA 0:00");
    bar.onEnd(new TrainingResult(Outcome.INTERRUPTED, 2, List.of(), List.of(), 3725));
    assertThat(printed()).isEqualToNormalizingNewlines("interrupted after 2 steps in 1:02:05\n");
  }

  @Test
  void unknownSizesAreSaidToBe() {
    ProgressBar bar = bar(false);
    bar.onBegin(new TrainingPlan(1, 100, OptionalLong.empty()));
    step(bar, 1, 6000);
    assertThat(printed()).contains("100 requests loss").contains("ETA unknown");
  }
}
