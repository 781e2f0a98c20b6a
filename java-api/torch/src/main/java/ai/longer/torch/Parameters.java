package ai.longer.torch;

import ai.longer.LongerConfig;
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
  private static final Set<String> LINEAR_MAPS = Set.of("qkv", "out", "fc1", "fc2");

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final Map<String, long[]> shapes;
  private final Precision precision;

  /** Linear maps start from N(0, 1/in), embeddings from N(0, 0.05²), norms at 1, biases at 0. */
  Parameters(LongerConfig config, Precision precision, long seed) {
    this(ParameterShapes.of(config), precision, seed);
  }

  /** As above, by name and shape. */
  Parameters(Map<String, long[]> shapes, Precision precision, long seed) {
    this.precision = precision;
    this.shapes = shapes;
    torch.manual_seed(seed);
    shapes.forEach((name, dimensions) -> tensors.put(name, initial(name, dimensions)));
  }

  Precision precision() {
    return precision;
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
    String[] path = name.split("\\.", -1);
    String map = path[path.length - 2];
    return switch (path[0]) {
      case "table" -> false;
      case "global" -> !map.equals("query") && !map.equals("user_time_bucket"); // a token's map
      default -> LINEAR_MAPS.contains(map);
    };
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
    tensors.clear();
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
