package ai.longer;

/**
 * A file or input text does not hold what its format says; the message names the place.
 *
 * <p>Immutable; safe for use by several threads.
 */
public class CorruptDataException extends LongerException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public CorruptDataException(String message) {
    super(message);
  }

  /** Makes an exception with its cause. */
  public CorruptDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
