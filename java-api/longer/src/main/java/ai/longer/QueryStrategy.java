package ai.longer;

/**
 * Which rows on the side of the history go on as queries (native/docs/model.md, "Query rows";
 * LONGER §3.5.2).
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum QueryStrategy {
  /** The newest merged tokens. */
  RECENT,
  /** Merged tokens spread evenly over the history, the newest among them. */
  UNIFORM,
  /** The newest merged tokens for the larger half, the rest spread evenly over the older ones. */
  RECENT_AND_UNIFORM,
  /** Learned tokens that see the whole history. */
  LEARNABLE
}
