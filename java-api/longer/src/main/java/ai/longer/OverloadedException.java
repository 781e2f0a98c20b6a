package ai.longer;

/**
 * A queue is full: the request was refused before any work; try again later or elsewhere.
 *
 * <p>Immutable; safe for use by several threads.
 */
public class OverloadedException extends LongerException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public OverloadedException(String message) {
    super(message);
  }
}
