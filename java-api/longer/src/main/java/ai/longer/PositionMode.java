package ai.longer;

/**
 * Whether an event's place in the window is an input (native/docs/model.md, "Event token").
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum PositionMode {
  /** A learned vector for each place is added to the event's features. */
  LEARNED,
  /** Places are not an input; slots of a group keep theirs. */
  NONE
}
