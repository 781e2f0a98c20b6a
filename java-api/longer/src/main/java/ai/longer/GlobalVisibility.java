package ai.longer;

/**
 * What global and candidate tokens may attend to (native/docs/model.md, "Layers").
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum GlobalVisibility {
  /** Merged tokens never see globals or candidates, so a user's keys and values can be cached. */
  CACHEABLE
}
