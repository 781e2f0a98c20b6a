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
    /** The device that this version is fastest on. */
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

  /** The first NVIDIA GPU. */
  public static Device cuda() {
    return new Device(Kind.CUDA, 0, 0);
  }

  /**
   * The device that this version is fastest on: the CPU. On a GPU it computes the same with kernels
   * that are not tuned yet.
   */
  public static Device best() {
    return new Device(Kind.BEST, 0, 0);
  }
}
