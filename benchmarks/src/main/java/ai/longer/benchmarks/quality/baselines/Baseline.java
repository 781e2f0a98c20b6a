package ai.longer.benchmarks.quality.baselines;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.TimeMode;
import ai.longer.torch.SequenceInputs;
import ai.longer.torch.SequenceNetwork;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What all baselines share: event tokens as LONGER's (position added, time bucket concatenated,
 * MLP), a linear map for the user and for a candidate, and LONGER's head over history, user and
 * candidate. A subclass says what of the history a candidate gets to see.
 */
abstract class Baseline implements SequenceNetwork {
  private static final double NORM_EPSILON = 1e-5;

  /** Large enough to leave a masked score no weight in 32 bits, and finite if all are masked. */
  static final float MASKED = -1e9F;

  final LongerConfig config;

  /** D, the width of tokens. */
  final int width;

  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  Baseline(LongerConfig config) {
    this.config = config;
    this.width = config.modelWidth();
    Schema schema = config.schema();
    int event = width(schema.eventFeatures());
    int time = config.time() == TimeMode.NONE ? 0 : config.timeWidth();
    declare("event_encoder.position.weight", config.maxHistory(), event);
    if (time > 0) {
      declare("event_encoder.time_bucket.weight", config.timeBuckets() + 1, time);
    }
    linear("event_encoder.fc1", 2 * width, event + time);
    linear("event_encoder.fc2", width, 2 * width);
    declare("global.user_time_bucket.weight", config.timeBuckets() + 1, config.timeWidth());
    linear("global.user", width, userWidth() + config.timeWidth());
    linear("global.candidate", width, width(schema.candidateFeatures()));
    norm("head.ln", width);
    linear("head.fc1", width, 3 * width);
    linear("head.fc2", schema.tasks().size(), width);
  }

  /**
   * What each candidate sees of the history.
   *
   * @param events event tokens, 0 in pads [B, L, D]
   * @param candidates candidate tokens [B, C, D]
   * @return [B, C, D], or [B, 1, D] if it is the same for all candidates
   */
  abstract Tensor history(Pass pass, Tensor events, Tensor candidates);

  /** Floating-point operations of the products of {@link #history}. */
  abstract double historyFlops(double events, double candidates);

  @Override
  public Map<String, long[]> parameters() {
    return shapes;
  }

  @Override
  public Tensor logits(SequenceInputs inputs, Function<String, Tensor> weights) {
    Pass pass = new Pass(inputs, weights);
    Tensor candidates = pass.linear("global.candidate", inputs.candidates());
    Tensor time = pass.rows("global.user_time_bucket.weight", inputs.userBuckets());
    Tensor features = inputs.users();
    Tensor user = pass.linear("global.user", features == null ? time : concat(1, features, time));
    long count = candidates.size(1);
    Tensor history = history(pass, eventTokens(pass), candidates).expand(-1, count, -1);
    Tensor input =
        concat(
            2,
            pass.norm("head.ln", history),
            pass.norm("head.ln", user).unsqueeze(1).expand(-1, count, -1),
            pass.norm("head.ln", candidates));
    return pass.linear("head.fc2", gelu(pass.linear("head.fc1", input)));
  }

  /** Of scoring a request: products of matrices, a multiply-add as 2. */
  final double flops(int numEvents, int numCandidates) {
    double events = Math.min(numEvents, config.maxHistory());
    Schema schema = config.schema();
    double input =
        width(schema.eventFeatures()) + (config.time() == TimeMode.NONE ? 0 : config.timeWidth());
    double tokens = events * 2 * (2 * width * input + 2.0 * width * width);
    double user = 2.0 * width * (userWidth() + config.timeWidth());
    double candidate = 2.0 * width * (width(schema.candidateFeatures()) + 3.0 * width);
    double head = 2.0 * width * schema.tasks().size();
    return tokens + user + numCandidates * (candidate + head) + historyFlops(events, numCandidates);
  }

  private Tensor eventTokens(Pass pass) {
    SequenceInputs inputs = pass.inputs();
    Tensor events = inputs.events();
    Tensor positions =
        pass.rows("event_encoder.position.weight", inputs.positions()).view_as(events);
    Tensor x = events.add(positions);
    if (config.time() != TimeMode.NONE) {
      Tensor time = pass.rows("event_encoder.time_bucket.weight", inputs.buckets());
      x = concat(2, x, time.view(events.size(0), events.size(1), config.timeWidth()));
    }
    Tensor hidden = gelu(pass.linear("event_encoder.fc1", x));
    return pass.linear("event_encoder.fc2", hidden).mul(inputs.present());
  }

  final void declare(String name, long... shape) {
    shapes.put(name, shape);
  }

  final void linear(String name, int out, int in) {
    declare(name + ".weight", out, in);
    declare(name + ".bias", out);
  }

  final void norm(String name, int size) {
    declare(name + ".weight", size);
    declare(name + ".bias", size);
  }

  static Tensor gelu(Tensor input) {
    return torch.gelu(input, "tanh");
  }

  static Tensor concat(long dimension, Tensor... parts) {
    return torch.cat(new TensorVector(parts), dimension);
  }

  /** [B, rows, H·w] → [B, H, rows, w]. */
  static Tensor byHead(Tensor rows, long heads) {
    return rows.unflatten(2, heads, -1).transpose(1, 2);
  }

  /** [B, H, rows, w] → [B, rows, H·w]. */
  static Tensor sideBySide(Tensor heads) {
    return heads.transpose(1, 2).flatten(2, 3);
  }

  private int userWidth() {
    Schema schema = config.schema();
    return width(
        Stream.concat(schema.userFeatures().stream(), schema.contextFeatures().stream()).toList());
  }

  private int width(List<Schema.Feature> features) {
    int sum = 0;
    for (Schema.Feature feature : features) {
      for (Schema.Table table : config.schema().tables()) {
        sum += table.name().equals(feature.table()) ? table.width() : 0;
      }
    }
    return sum;
  }

  /** One batch on its way through the network. */
  record Pass(SequenceInputs inputs, Function<String, Tensor> weights) {
    Tensor linear(String name, Tensor input) {
      return torch.linear(input, get(name + ".weight"), new TensorOptional(get(name + ".bias")));
    }

    Tensor norm(String name, Tensor input) {
      return torch.layer_norm(
          input,
          new long[] {input.size(-1)},
          new TensorOptional(get(name + ".weight")),
          new TensorOptional(get(name + ".bias")),
          NORM_EPSILON,
          false);
    }

    Tensor rows(String table, Tensor index) {
      return get(table).index_select(0, index);
    }

    Tensor get(String name) {
      return weights.apply(name);
    }

    /** 1 where an event stands, else 0 [B, 1, 1, L]. */
    Tensor presentColumns() {
      return inputs.present().transpose(1, 2).unsqueeze(1);
    }
  }
}
