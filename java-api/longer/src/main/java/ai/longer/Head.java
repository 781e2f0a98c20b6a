package ai.longer;

/**
 * What the prediction head reads beside the global tokens and the candidate (native/docs/model.md,
 * "Head").
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum Head {
  /** Nothing else. */
  GLOBALS,
  /** Every query row. */
  ALL,
  /** The mean of the query rows. */
  GLOBALS_AND_POOL
}
