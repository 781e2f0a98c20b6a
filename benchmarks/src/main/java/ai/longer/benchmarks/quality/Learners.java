package ai.longer.benchmarks.quality;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.benchmarks.quality.baselines.Baselines;
import ai.longer.training.TrainerOptions;

/** Makes the models that contenders name. */
final class Learners {
  private Learners() {}

  /**
   * @throws IllegalArgumentException for an unknown kind, a baseline on another device than the
   *     CPU, or a baseline without PyTorch on the class path: LONGER itself runs without it
   */
  static Learner create(
      Contender contender, LongerConfig config, Device device, TrainerOptions options) {
    String kind = contender.kind();
    if (kind == null || kind.equals(Contender.LONGER)) {
      return new LongerLearner(config, device, options);
    }
    if (device.kind() != Device.Kind.CPU) {
      throw new IllegalArgumentException(
          "[contender] %s: baselines run on the CPU; got %s".formatted(contender.name(), device));
    }
    try {
      Class.forName("org.bytedeco.pytorch.Tensor", false, Learners.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "[contender] %s needs longer-torch and the PyTorch preset on the class path"
              .formatted(contender.name()),
          e);
    }
    return Baselines.create(kind, config, options, device.threads());
  }
}
