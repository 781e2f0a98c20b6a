package ai.longer.samples.quickstart;

import ai.longer.evaluation.Predictions;
import ai.longer.training.TrainingResult;
import java.nio.file.Path;
import java.util.List;

/**
 * One model trained and tested.
 *
 * @param model folder of the weights that did best on the validation requests
 * @param losses means over stretches of steps
 * @param test predictions of those weights on the test requests
 */
record Run(
    Variant variant,
    long seed,
    Settings settings,
    Path model,
    TrainingResult training,
    List<LossPoint> losses,
    Predictions test) {
  record LossPoint(long step, double loss) {}
}
