package ai.longer.samples.cli;

import ai.longer.data.Prepared;
import ai.longer.data.Shards;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Shards to train on and, if there are any, to validate on. */
record TrainingData(Shards training, @Nullable Shards validation) implements AutoCloseable {
  /**
   * Opens a folder that {@code prepare} wrote, or shards.
   *
   * @param validation shards to validate on; null = those of the prepared folder, if it has any
   */
  static TrainingData open(Path data, @Nullable Path validation) {
    Path training = Prepared.training(data);
    if (!Files.isDirectory(training)) {
      return open(data, validation, validation != null);
    }
    Path held = validation != null ? validation : Prepared.validation(data);
    return open(training, held, validation != null || Files.isDirectory(held));
  }

  private static TrainingData open(Path training, @Nullable Path validation, boolean validates) {
    Shards opened = Shards.open(training);
    try {
      return new TrainingData(
          opened, validates && validation != null ? Shards.open(validation) : null);
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  @Override
  public void close() {
    training.close();
    if (validation != null) {
      validation.close();
    }
  }
}
