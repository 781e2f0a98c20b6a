package ai.longer;

/**
 * A device failed or is not there.
 *
 * <p>Immutable; safe for use by several threads.
 */
public class DeviceException extends LongerException {
  private static final long serialVersionUID = 1L;

  private final boolean fatal;

  /** Makes an exception. */
  public DeviceException(String message, boolean fatal) {
    super(message);
    this.fatal = fatal;
  }

  /** Returns whether the device is lost for this process: restart it. */
  public boolean isFatal() {
    return fatal;
  }
}
