package ai.longer.samples.quickstart;

import ai.longer.evaluation.Predictions;
import ai.longer.training.TrainingResult;
import java.nio.file.Path;
import java.util.List;

/**
 * One model trained and tested.
 *
 * @param model folder of its weights
 * @param search the training that found the number of epochs
 * @param training the training of the weights
 * @param losses of the search, means over stretches of steps
 * @param test predictions of the test requests
 */
record Run(
    Variant variant,
    long seed,
    Path model,
    TrainingResult search,
    TrainingResult training,
    List<LossPoint> losses,
    Predictions test) {
  record LossPoint(long step, double loss) {}
}
