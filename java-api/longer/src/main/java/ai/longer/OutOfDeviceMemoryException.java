package ai.longer;

/**
 * The memory of a device (for the CPU: native memory) does not suffice; nothing was changed.
 *
 * <p>Immutable; safe for use by several threads.
 */
public class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public OutOfDeviceMemoryException(String message) {
    super(message, false);
  }
}
