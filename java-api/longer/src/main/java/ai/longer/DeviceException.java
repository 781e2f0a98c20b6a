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

  /**
   * Returns whether the device is lost for this process, which must be restarted to use it again.
   * Every later call of its models, trainers and rankers that needs the device throws such an
   * exception at once; they can be closed, and models and configurations held in host memory saved.
   */
  public boolean isFatal() {
    return fatal;
  }
}
