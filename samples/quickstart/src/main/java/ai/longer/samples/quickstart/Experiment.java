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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Trains a variant, keeps the weights of its best epoch, and scores the test requests with them.
 */
record Experiment(LongerConfig config, Device device, Split split, int epochs, Path models) {

  Run run(Variant variant, Settings settings, long seed, TrainingListener progress) {
    Split seen = split.map(variant::apply);
    Path folder = models.resolve(variant.name().toLowerCase(Locale.ROOT) + "-" + seed);
    LossCurve losses = new LossCurve();
    try (Trainer trainer = Trainer.create(config, device, settings.options(seed, epochs))) {
      TrainingResult result =
          trainer.fit(
              RequestSource.of(seen.training()),
              RequestSource.of(seen.validation()),
              progress,
              losses);
      LongerModel best = trainer.bestModel();
      best.save(folder);
      try (Ranker ranker = best.ranker()) {
        Predictions test = Evaluation.predict(ranker, RequestSource.of(seen.test()));
        return new Run(variant, seed, settings, folder, result, losses.points(), test);
      }
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
      lossSum += result.loss() * result.weight();
      weightSum += result.weight();
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
