package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import ai.longer.benchmarks.quality.Learner;
import ai.longer.data.Request;
import ai.longer.torch.SequenceModel;
import ai.longer.training.TrainerOptions;
import java.util.List;
import org.bytedeco.pytorch.global.torch;

/** Baselines by the names that experiments give them. */
public final class Baselines {
  private Baselines() {}

  /**
   * Makes a baseline with fresh weights.
   *
   * @param kind {@code sum-pooling}, {@code din}, {@code twin}, {@code sasrec} or {@code hstu}
   * @param threads of PyTorch for the calling thread; 0 = its default
   * @throws IllegalArgumentException for another kind
   */
  public static Learner create(
      String kind, LongerConfig config, TrainerOptions options, int threads) {
    if (threads > 0) {
      torch.set_num_threads(threads);
    }
    Baseline network = network(kind, config);
    return new Trained(network, SequenceModel.create(config, network, options));
  }

  static Baseline network(String kind, LongerConfig config) {
    return switch (kind) {
      case "sum-pooling" -> new SumPooling(config);
      case "din" -> new DeepInterest(config);
      case "twin" -> new TwoStageInterest(config);
      case "sasrec" -> new CausalTransformer(config);
      case "hstu" -> new SequentialTransducer(config);
      default -> throw new IllegalArgumentException("[baselines] unknown kind \"" + kind + "\"");
    };
  }

  private record Trained(Baseline network, SequenceModel model) implements Learner {
    @Override
    public double step(List<Request> batch) {
      return model.step(batch);
    }

    @Override
    public float[] predict(List<Request> batch) {
      return model.probabilities(batch);
    }

    @Override
    public long parameters() {
      return model.numValues();
    }

    @Override
    public double flops(Request request) {
      return network.flops(request.history().size(), request.candidates().size());
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
