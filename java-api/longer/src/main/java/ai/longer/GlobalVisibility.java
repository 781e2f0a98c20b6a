package ai.longer;

/**
 * What global and candidate tokens may attend to (native/docs/model.md, "Layers").
 *
 * <p>In every mode merged tokens see neither, CLS tokens see no candidate, and candidates never see
 * each other.
 *
 * <p>Immutable; safe for use by several threads.
 */
public enum GlobalVisibility {
  /** User tokens do not see candidates, so all candidates of a request share them; the default. */
  CACHEABLE,
  /** The paper's printed order: each candidate has its own user tokens, which see it. */
  STRICT,
  /** Each candidate has its own user tokens; these and the candidate see each other. */
  FULL
}
