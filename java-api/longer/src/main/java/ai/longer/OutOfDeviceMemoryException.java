package ai.longer;

/** The memory of a device (for the CPU: native memory) does not suffice; nothing was changed. */
public class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public OutOfDeviceMemoryException(String message) {
    super(message, false);
  }
}
