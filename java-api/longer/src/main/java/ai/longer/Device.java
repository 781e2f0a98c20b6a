package ai.longer;

/**
 * Where a model computes.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param kind which kind of device
 * @param index GPU ordinal, 0 for the CPU
 * @param threads CPU threads; 0 = the processors this process may use
 */
public record Device(Kind kind, int index, int threads) {
  /** Kinds of devices. */
  public enum Kind {
    /** The processor. */
    CPU,
    /** An NVIDIA GPU. */
    CUDA,
    /** The first NVIDIA GPU where there is one that can be used, else the CPU. */
    BEST
  }

  /** Checks the numbers. */
  public Device {
    if (index < 0 || threads < 0) {
      throw new IllegalArgumentException(
          "[device] index and threads must not be negative; got " + index + " and " + threads);
    }
  }

  /** The CPU with all processors this process may use. */
  public static Device cpu() {
    return cpu(0);
  }

  /** The CPU with {@code threads} threads; 0 = the processors this process may use. */
  public static Device cpu(int threads) {
    return new Device(Kind.CPU, 0, threads);
  }

  /**
   * The first NVIDIA GPU. What is made on it throws {@link UnsupportedOperationException} where the
   * natives lack CUDA and {@link DeviceException} where the machine has no driver or GPU; there is
   * no silent way back to the CPU.
   */
  public static Device cuda() {
    return new Device(Kind.CUDA, 0, 0);
  }

  /**
   * The first NVIDIA GPU where the natives have CUDA ({@code linux-x86_64-cuda13}) and the machine
   * has a driver and a GPU that they can use, else the CPU. {@link Doctor} says which, and why.
   */
  public static Device best() {
    return new Device(Kind.BEST, 0, 0);
  }
}
