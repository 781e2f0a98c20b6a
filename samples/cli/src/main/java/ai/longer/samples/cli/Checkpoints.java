package ai.longer.samples.cli;

import ai.longer.training.StepResult;
import ai.longer.training.Trainer;
import ai.longer.training.TrainingListener;
import java.nio.file.Path;
import java.time.Duration;

/** Saves a checkpoint every so often. */
final class Checkpoints implements TrainingListener {
  private final Trainer trainer;
  private final Path folder;
  private final long nanosBetween;
  private long savedAt = System.nanoTime();

  Checkpoints(Trainer trainer, Path folder, Duration between) {
    this.trainer = trainer;
    this.folder = folder;
    this.nanosBetween = between.toNanos();
  }

  @Override
  public void onStep(StepResult result) {
    if (System.nanoTime() - savedAt >= nanosBetween) {
      trainer.save(folder);
      savedAt = System.nanoTime();
    }
  }
}
