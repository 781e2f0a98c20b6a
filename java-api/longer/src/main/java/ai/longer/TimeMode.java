package ai.longer;

/**
 * What an event's time difference is measured against (native/docs/model.md, "Time").
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum TimeMode {
  /** The request's reference time. */
  REQUEST_RELATIVE,
  /** The previous event in the window. */
  EVENT_RELATIVE,
  /** Times are not an input. */
  NONE
}
