package ai.longer.benchmarks.quality;

import ai.longer.Device;
import ai.longer.Flops;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.data.Request;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** LONGER in any configuration. */
final class LongerLearner implements Learner {
  private final LongerConfig config;
  private final Trainer trainer;

  LongerLearner(LongerConfig config, Device device, TrainerOptions options) {
    this.config = config;
    this.trainer = Trainer.create(config, device, options);
  }

  @Override
  public double step(List<Request> batch) {
    return trainer.step(batch).loss();
  }

  @Override
  public float[] predict(List<Request> batch) {
    int candidates = batch.stream().mapToInt(r -> r.candidates().size()).sum();
    return Arrays.copyOf(trainer.predict(batch), candidates);
  }

  @Override
  public long parameters() {
    try (LongerModel model = trainer.model()) {
      long parameters = model.numParameters();
      for (Schema.Table table : config.schema().tables()) {
        parameters += table.rows() == 0 ? model.table(table.name()).rows().length : 0;
      }
      return parameters;
    }
  }

  @Override
  public double flops(Request request) {
    return Flops.forward(config, request.history().size(), request.candidates().size()).total();
  }

  @Override
  public Optional<LongerModel> longer() {
    return Optional.of(trainer.model());
  }

  @Override
  public void close() {
    trainer.close();
  }
}
