package ai.longer;

import java.util.OptionalLong;

/**
 * The memory of a device (for the CPU: native memory) does not suffice; nothing was changed and the
 * process can go on.
 *
 * <p>Immutable; safe for use by several threads.
 */
public class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 2L;

  private final long bytesAsked;
  private final long bytesFree;

  /**
   * Makes an exception.
   *
   * @param bytesAsked what was asked for; negative if that is not known
   * @param bytesFree what was free of it; negative if that is not known
   */
  public OutOfDeviceMemoryException(String message, long bytesAsked, long bytesFree) {
    super(message, false);
    this.bytesAsked = bytesAsked;
    this.bytesFree = bytesFree;
  }

  /** Returns the bytes of the allocation that failed, if they are known. */
  public OptionalLong bytesAsked() {
    return known(bytesAsked);
  }

  /**
   * Returns the bytes that were free when it failed, if they are known: of a GPU, not of the CPU.
   */
  public OptionalLong bytesFree() {
    return known(bytesFree);
  }

  private static OptionalLong known(long bytes) {
    return bytes < 0 ? OptionalLong.empty() : OptionalLong.of(bytes);
  }
}
