package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.TrainingResult.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are interrupted and go on. */
@ExtendWith(NoLeaks.class)
@Timeout(300)
class ResumeTest {
  @TempDir Path folder;

  /** A run that nobody interrupts, saved at its end. */
  private TrainingResult straight(Path checkpoint, TrainerOptions options) {
    try (Trainer trainer = Trainer.create(LongTraining.CONFIG, Device.cpu(1), options)) {
      TrainingResult result = trainer.fit(LongTraining.training(), LongTraining.validation());
      trainer.save(checkpoint);
      return result;
    }
  }

  static TrainingListener interruptAt(long step) {
    return new TrainingListener() {
      @Override
      public void onStep(StepResult result) {
        if (result.step() == step) {
          Thread.currentThread().interrupt();
        }
      }
    };
  }

  @Test
  void runsInterruptedAtAnyStepEndWithTheSameBits() throws IOException {
    Path whole = folder.resolve("whole");
    TrainingResult expected = straight(whole, LongTraining.options());
    long steps = expected.step();
    assertThat(steps).isEqualTo(LongTraining.EPOCHS * 8L);
    for (long step = 1; step <= steps; step++) {
      Path checkpoint = folder.resolve("step-" + step);
      // Saved when interrupted, loaded by another trainer with another number of threads.
      TrainerOptions options =
          LongTraining.options().toBuilder().checkpoint(checkpoint, 1000).build();
      try (Trainer trainer = Trainer.create(LongTraining.CONFIG, Device.cpu(1), options)) {
        TrainingResult result =
            trainer.fit(LongTraining.training(), LongTraining.validation(), interruptAt(step));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(result.outcome()).isEqualTo(Outcome.INTERRUPTED);
        assertThat(result.step()).isEqualTo(step);
      }
      try (Trainer trainer = Trainer.load(checkpoint, Device.cpu(2), options)) {
        TrainingResult result = trainer.resume(LongTraining.training(), LongTraining.validation());
        assertSameRun(result, expected);
      }
      assertSameBits(checkpoint, whole);
    }
  }

  @Test
  void runsGoOnInTheSameTrainer() throws IOException {
    Path whole = folder.resolve("whole");
    TrainingResult expected = straight(whole, LongTraining.options());
    Path pieces = folder.resolve("pieces");
    try (Trainer trainer =
        Trainer.create(LongTraining.CONFIG, Device.cpu(1), LongTraining.options())) {
      trainer.fit(LongTraining.training(), LongTraining.validation(), interruptAt(3));
      assertThat(Thread.interrupted()).isTrue();
      trainer.resume(LongTraining.training(), LongTraining.validation(), interruptAt(16));
      assertThat(Thread.interrupted()).isTrue();
      TrainingResult result = trainer.resume(LongTraining.training(), LongTraining.validation());
      assertSameRun(result, expected);
      // Nothing is left to do.
      assertSameRun(trainer.resume(LongTraining.training(), LongTraining.validation()), expected);
      trainer.save(pieces);
    }
    assertSameBits(pieces, whole);
  }

  @Test
  void listenersMaySaveAnywhere() throws IOException {
    Path whole = folder.resolve("whole");
    Path atEpoch = folder.resolve("at-epoch");
    Path atValidation = folder.resolve("at-validation");
    TrainingResult expected;
    try (Trainer trainer =
        Trainer.create(LongTraining.CONFIG, Device.cpu(1), LongTraining.options())) {
      expected =
          trainer.fit(
              LongTraining.training(),
              LongTraining.validation(),
              new TrainingListener() {
                @Override
                public void onEpoch(EpochResult result) {
                  if (result.epoch() == 2) {
                    trainer.save(atEpoch);
                  }
                }

                @Override
                public void onValidation(ValidationResult result) {
                  if (result.epoch() == 1) {
                    trainer.save(atValidation);
                  }
                }
              });
      trainer.save(whole);
    }
    for (Path saved : List.of(atEpoch, atValidation)) {
      try (Trainer trainer = Trainer.load(saved, Device.cpu(1), LongTraining.options())) {
        assertSameRun(trainer.resume(LongTraining.training(), LongTraining.validation()), expected);
        trainer.save(saved);
      }
      assertSameBits(saved, whole);
    }
  }

  @Test
  void laterFitsOfALoadedTrainerShuffleAsTheyWouldHave() throws IOException {
    Path once = folder.resolve("once");
    Path twice = folder.resolve("twice");
    Path again = folder.resolve("again");
    TrainerOptions options = LongTraining.options();
    try (Trainer trainer = Trainer.create(LongTraining.CONFIG, Device.cpu(1), options)) {
      trainer.fit(LongTraining.training());
      trainer.save(once);
      trainer.fit(LongTraining.training());
      trainer.save(twice);
    }
    try (Trainer trainer = Trainer.load(once, Device.cpu(1), options)) {
      trainer.fit(LongTraining.training());
      trainer.save(again);
    }
    assertSameBits(again, twice);
  }

  @Test
  void theBestWeightsComeBack() {
    Path checkpoint = folder.resolve("checkpoint");
    TrainerOptions options = LongTraining.options().toBuilder().checkpoint(checkpoint, 5).build();
    float[] best;
    List<Request> requests = LongTraining.validation().stream().toList();
    try (Trainer trainer = Trainer.create(LongTraining.CONFIG, Device.cpu(1), options)) {
      trainer.fit(LongTraining.training(), LongTraining.validation());
      best = scores(trainer.bestModel(), requests);
    }
    try (Trainer trainer = Trainer.load(checkpoint, Device.cpu(1), options)) {
      assertThat(scores(trainer.bestModel(), requests)).isEqualTo(best);
      assertThat(trainer.resume(LongTraining.training(), LongTraining.validation()).outcome())
          .isEqualTo(Outcome.COMPLETED);
    }
    // One checkpoint, one model beside it.
    assertThat(folder.toFile().list()).hasSize(2);
  }

  private static float[] scores(LongerModel model, List<Request> requests) {
    try (Trainer trainer = Trainer.create(model, Device.cpu(1), LongTraining.options())) {
      return trainer.predict(requests);
    }
  }

  @Test
  void whatCannotBeResumedIsNamed() {
    Path checkpoint = folder.resolve("checkpoint");
    TrainerOptions options = LongTraining.options();
    try (Trainer trainer = Trainer.create(LongTraining.CONFIG, Device.cpu(1), options)) {
      assertThatThrownBy(() -> trainer.resume(LongTraining.training()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("no run to resume");
      trainer.fit(LongTraining.training(), interruptAt(2));
      assertThat(Thread.interrupted()).isTrue();
      trainer.save(checkpoint);
    }
    TrainerOptions other = options.toBuilder().batchSize(5).build();
    try (Trainer trainer = Trainer.load(checkpoint, Device.cpu(1), other)) {
      assertThatThrownBy(() -> trainer.resume(LongTraining.training()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("batchSize=4")
          .hasMessageContaining("batchSize=5");
    }
  }

  @Test
  void accumulatedBatchesAreOneStep() {
    List<Request> requests = Samples.labelled(12);
    TrainerOptions options = TrainerOptions.builder().seed(3).build();
    try (Trainer whole = Trainer.create(Samples.CONFIG, Device.cpu(1), options);
        Trainer split = Trainer.create(Samples.CONFIG, Device.cpu(1), options)) {
      StepResult expected = whole.step(requests);
      split.accumulate(requests.subList(0, 5));
      split.accumulate(requests.subList(5, 12));
      assertThatThrownBy(() -> split.gradients(requests)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> split.save(folder.resolve("half")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("2 accumulated batches");
      StepResult result = split.apply();
      assertThat(result.loss())
          .isCloseTo(expected.loss(), org.assertj.core.api.Assertions.within(1e-6));
      assertThat(result.numRequests()).isEqualTo(12);
      assertThat(result.step()).isEqualTo(1);
      assertThatThrownBy(split::apply).isInstanceOf(IllegalStateException.class);
      split.accumulate(requests.subList(0, 5));
      split.discard();
      assertThatThrownBy(split::apply).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void damageAnywhereIsFoundAndNamed() throws IOException {
    Path checkpoint = folder.resolve("checkpoint");
    straight(checkpoint, LongTraining.options());
    SplittableRandom random = new SplittableRandom(7);
    List<Path> files;
    try (var found = Files.list(checkpoint)) {
      files = found.toList();
    }
    assertThat(files).hasSize(6);
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      for (int i = 0; i < 20; i++) {
        byte[] damaged = bytes.clone();
        damaged[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        assertNamed(checkpoint, file, i % 2 == 0 ? damaged : head(bytes, random));
      }
      Files.write(file, bytes);
    }
    Trainer.load(checkpoint, Device.cpu(1), LongTraining.options()).close();
  }

  private static byte[] head(byte[] bytes, SplittableRandom random) {
    return java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length));
  }

  private static void assertNamed(Path checkpoint, Path file, byte[] content) throws IOException {
    Files.write(file, content);
    assertThatThrownBy(
            () -> Trainer.load(checkpoint, Device.cpu(1), LongTraining.options()).close())
        .satisfiesAnyOf(
            e -> assertThat(e).isInstanceOf(CorruptDataException.class),
            // A manifest whose version number changed.
            e -> assertThat(e).isInstanceOf(UnsupportedOperationException.class))
        .hasMessageContaining(
            file.endsWith("MANIFEST.json") ? checkpoint.toString() : file.toString());
  }

  /** The same results, times apart. */
  static void assertSameRun(TrainingResult run, TrainingResult expected) {
    assertThat(run.outcome()).isEqualTo(expected.outcome());
    assertThat(run.step()).isEqualTo(expected.step());
    assertThat(run.validations()).isEqualTo(expected.validations());
    assertThat(run.epochs())
        .usingRecursiveComparison()
        .ignoringFields("seconds")
        .isEqualTo(expected.epochs());
  }

  /** The same weights, table rows, moments and counts. */
  static void assertSameBits(Path checkpoint, Path expected) throws IOException {
    for (String name :
        List.of(
            "config.json", "dense.safetensors", "tables.safetensors", "optimizer.safetensors")) {
      assertThat(Files.mismatch(checkpoint.resolve(name), expected.resolve(name)))
          .as(checkpoint + "/" + name)
          .isEqualTo(-1);
    }
  }
}
