package ai.longer;

/**
 * Order in which merged tokens and positions are counted (native/docs/model.md, "Window").
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum Anchor {
  /** From the newest event back, as the paper does. */
  NEWEST,
  /** From the user's first event on, so that new events leave older groups as they are. */
  OLDEST
}
