package ai.longer;

/**
 * A failure that is neither bad input nor misuse. Base of this SDK's own exceptions.
 *
 * <p>Immutable; safe for use by several threads.
 */
public class LongerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public LongerException(String message) {
    super(message);
  }

  /** Makes an exception with its cause. */
  public LongerException(String message, Throwable cause) {
    super(message, cause);
  }
}
