package ai.longer.torch;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Element type in which {@link TorchLonger} computes. */
public enum Precision {
  /** 32-bit floats, as a trainer would run. */
  FLOAT(ScalarType.Float),
  /** 64-bit floats, for use as an oracle. */
  DOUBLE(ScalarType.Double);

  private final ScalarType type;

  Precision(ScalarType type) {
    this.type = type;
  }

  /** A tensor of this type with a copy of {@code values}. */
  Tensor tensor(float[] values, long... shape) {
    return Tensor.create(values, shape).to(type);
  }

  /** A tensor of this type with a copy of {@code values}. */
  Tensor tensor(double[] values, long... shape) {
    return Tensor.create(values, shape).to(type);
  }

  /** A copy of a tensor's values as 32-bit floats, row-major. */
  static float[] floats(Tensor tensor) {
    Tensor source = tensor.detach().to(ScalarType.Float).contiguous();
    float[] values = new float[Math.toIntExact(source.numel())];
    if (values.length > 0) {
      new FloatPointer(source.data_ptr()).get(values);
    }
    return values;
  }

  /** A copy of an integer tensor's values, row-major. */
  static long[] longs(Tensor tensor) {
    Tensor source = tensor.detach().to(ScalarType.Long).contiguous();
    long[] values = new long[Math.toIntExact(source.numel())];
    if (values.length > 0) {
      new LongPointer(source.data_ptr()).get(values);
    }
    return values;
  }

  /** A copy of a tensor's values, row-major. */
  static double[] values(Tensor tensor) {
    Tensor source = tensor.detach().to(ScalarType.Double).contiguous();
    double[] values = new double[Math.toIntExact(source.numel())];
    if (values.length > 0) {
      new DoublePointer(source.data_ptr()).get(values);
    }
    return values;
  }
}
