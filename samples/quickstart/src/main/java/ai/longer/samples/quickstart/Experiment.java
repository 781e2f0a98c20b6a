package ai.longer.samples.quickstart;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.RequestSource;
import ai.longer.evaluation.Evaluation;
import ai.longer.evaluation.Predictions;
import ai.longer.serving.Ranker;
import ai.longer.training.StepResult;
import ai.longer.training.Trainer;
import ai.longer.training.TrainingListener;
import ai.longer.training.TrainingResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Trains and tests variants: the validation requests tell how many epochs are best; a fresh model
 * is then trained for that many on training and validation requests together, saved, and scores the
 * test requests, which nothing before has seen.
 *
 * @param epochs passes at most
 * @param models folder of the saved models
 * @param console told what comes next; progress goes to standard error
 */
record Experiment(
    LongerConfig config, Device device, Split split, int epochs, Path models, PrintStream console) {

  Run run(Variant variant, long seed) {
    Settings settings = Settings.CHOSEN;
    LossCurve losses = new LossCurve();
    console.printf("Training with %s, seed %d: how many epochs?%n", variant.title(), seed);
    TrainingResult search = search(variant, settings, seed, losses);
    int best = search.bestValidation().orElseThrow().epoch();
    console.printf("Training with %s, seed %d: %d, on all requests%n", variant.title(), seed, best);

    Split seen = split.map(variant::apply);
    Path folder = models.resolve(variant.name().toLowerCase(Locale.ROOT) + "-" + seed);
    RequestSource training = RequestSource.of(seen.trainingAndValidation());
    try (Trainer trainer = Trainer.create(config, device, settings.options(training, best, seed))) {
      TrainingResult result = trainer.fit(training, TrainingListener.progressBar());
      try (LongerModel model = trainer.model();
          Ranker ranker = model.ranker()) {
        model.save(folder);
        Predictions test = Evaluation.predict(ranker, RequestSource.of(seen.test()));
        return new Run(variant, seed, folder, search, result, losses.points(), test);
      }
    }
  }

  /** Trains until the AUC on the validation requests no longer improves. */
  TrainingResult search(Variant variant, Settings settings, long seed, TrainingListener listener) {
    Split seen = split.map(variant::apply);
    RequestSource training = RequestSource.of(seen.training());
    try (Trainer trainer =
        Trainer.create(config, device, settings.options(training, epochs, seed))) {
      return trainer.fit(
          training, RequestSource.of(seen.validation()), TrainingListener.progressBar(), listener);
    }
  }

  /** Means of the loss over stretches of steps. */
  private static final class LossCurve implements TrainingListener {
    private static final int STRETCH = 8;

    private final List<Run.LossPoint> points = new ArrayList<>();
    private double lossSum;
    private double weightSum;

    @Override
    public void onStep(StepResult result) {
      if (!result.skipped()) {
        lossSum += result.loss() * result.weight();
        weightSum += result.weight();
      }
      if (result.step() % STRETCH == 0 && weightSum > 0) {
        points.add(new Run.LossPoint(result.step(), lossSum / weightSum));
        lossSum = 0;
        weightSum = 0;
      }
    }

    List<Run.LossPoint> points() {
      return List.copyOf(points);
    }
  }
}
