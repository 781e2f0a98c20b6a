package ai.longer.benchmarks.quality;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.training.TrainerOptions;

/** Makes the models that contenders name. */
final class Learners {
  private Learners() {}

  static Learner create(
      Contender contender, LongerConfig config, Device device, TrainerOptions options) {
    if (contender.isLonger()) {
      return new LongerLearner(config, device, options);
    }
    throw new IllegalArgumentException(
        "[contender] %s: unknown kind \"%s\"".formatted(contender.name(), contender.kind()));
  }
}
