package ai.longer.torch;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.TimeMode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The dense parameters by their documented names; every tensor is a leaf that autograd
 * differentiates.
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
final class Parameters implements AutoCloseable {
  private static final Set<String> LINEAR_MAPS =
      Set.of("qkv", "out", "fc1", "fc2", "user", "candidate");

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Precision precision;

  /** Linear maps start from N(0, 1/in), embeddings from N(0, 0.05²), norms at 1, biases at 0. */
  Parameters(LongerConfig config, Precision precision, long seed) {
    this.precision = precision;
    declare(config);
    torch.manual_seed(seed);
    shapes.forEach((name, dimensions) -> tensors.put(name, initial(name, dimensions)));
  }

  Set<String> names() {
    return shapes.keySet();
  }

  Tensor get(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("no parameter is named \"" + name + "\"");
    }
    return tensor;
  }

  /** Replaces the values of one parameter, row-major. */
  void set(String name, double[] values) {
    Tensor parameter = get(name);
    if (values.length != parameter.numel()) {
      throw new IllegalArgumentException(
          name + " has " + parameter.numel() + " values; got " + values.length);
    }
    try (PointerScope scope = new PointerScope()) {
      parameter.data().copy_(precision.tensor(values, parameter.shape()));
    }
  }

  /** Whether weight decay applies: only to the weights of linear maps. */
  static boolean isDecayed(String name) {
    if (!name.endsWith(".weight")) {
      return false;
    }
    String map = name.substring(0, name.length() - ".weight".length());
    return LINEAR_MAPS.contains(map.substring(map.lastIndexOf('.') + 1)) && !isTable(name);
  }

  static String tableName(Schema.Table table) {
    return "table." + table.name() + ".weight";
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
    tensors.clear();
  }

  private static boolean isTable(String name) {
    return name.startsWith("table.");
  }

  private void declare(LongerConfig config) {
    Schema schema = config.schema();
    int eventInput = FeatureTables.width(schema, FeatureTables.ofEvents(schema));
    int timeWidth = config.time() == TimeMode.NONE ? 0 : config.timeWidth();
    int width = config.modelWidth();
    int d = config.eventWidth();
    shapes.put("event_encoder.position.weight", new long[] {config.maxHistory(), eventInput});
    if (timeWidth > 0) {
      shapes.put(
          "event_encoder.time_bucket.weight",
          new long[] {config.timeBuckets() + 1, config.timeWidth()});
    }
    declareLinear("event_encoder.fc1", 2 * d, eventInput + timeWidth);
    declareLinear("event_encoder.fc2", d, 2 * d);
    if (config.innerLayers() > 0) {
      shapes.put("token_merge.slot.weight", new long[] {config.mergeFactor(), d});
    }
    for (int i = 0; i < config.innerLayers(); i++) {
      declareBlock("token_merge.inner." + i, d);
    }
    if (config.clsTokens() > 0) {
      shapes.put("global.cls", new long[] {config.clsTokens(), width});
    }
    shapes.put(
        "global.user_time_bucket.weight",
        new long[] {config.timeBuckets() + 1, config.timeWidth()});
    declareLinear(
        "global.user",
        width,
        FeatureTables.width(schema, FeatureTables.ofUsers(schema)) + config.timeWidth());
    declareLinear(
        "global.candidate", width, FeatureTables.width(schema, FeatureTables.ofCandidates(schema)));
    for (int layer = 0; layer <= config.selfLayers(); layer++) {
      declareBlock("layers." + layer, width);
    }
    declareNorm("head.ln", width);
    declareLinear("head.fc1", width, (config.numGlobals() + 1) * width);
    declareLinear("head.fc2", schema.tasks().size(), width);
    for (Schema.Table table : schema.tables()) {
      if (table.rows() > 0) {
        shapes.put(tableName(table), new long[] {table.rows() + 1, table.width()});
      }
    }
  }

  private void declareBlock(String prefix, int width) {
    declareNorm(prefix + ".ln1", width);
    declareLinear(prefix + ".qkv", 3 * width, width);
    declareLinear(prefix + ".out", width, width);
    declareNorm(prefix + ".ln2", width);
    declareLinear(prefix + ".fc1", 4 * width, width);
    declareLinear(prefix + ".fc2", width, 4 * width);
  }

  private void declareNorm(String name, int width) {
    shapes.put(name + ".weight", new long[] {width});
    shapes.put(name + ".bias", new long[] {width});
  }

  private void declareLinear(String name, int out, int in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }

  private Tensor initial(String name, long[] shape) {
    try (PointerScope scope = new PointerScope()) {
      Tensor values = precision.tensor(new float[(int) product(shape)], shape);
      if (isDecayed(name)) {
        values.normal_(0, Math.sqrt(1.0 / shape[1]), new GeneratorOptional());
      } else if (shape.length == 2) {
        values.normal_(0, 0.05, new GeneratorOptional());
      } else if (name.endsWith("weight")) {
        values.fill_(new Scalar(1.0));
      }
      values.set_requires_grad(true);
      return values.retainReference();
    }
  }

  private static long product(long[] shape) {
    long product = 1;
    for (long size : shape) {
      product *= size;
    }
    return product;
  }
}
