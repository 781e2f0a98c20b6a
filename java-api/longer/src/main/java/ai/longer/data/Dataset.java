package ai.longer.data;

import java.util.OptionalLong;

/**
 * Requests to train on or to measure with: a {@link RequestSource}, which makes {@link Request}
 * objects, or {@link Shards}, which the native core reads by itself.
 *
 * <p>Implementations are safe for use by several threads unless they say otherwise.
 */
public sealed interface Dataset permits RequestSource, Shards {
  /** Returns the number of requests in a pass if it is known without reading them. */
  OptionalLong size();
}
