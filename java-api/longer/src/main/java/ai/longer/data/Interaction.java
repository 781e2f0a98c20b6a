package ai.longer.data;

import java.util.Objects;

/**
 * One row of a log: what a user did, and what a model would have had to predict. Arrays are shared,
 * not copied: safe for use by several threads while none changes them.
 *
 * @param userKey the user
 * @param time epoch second
 * @param eventIds ids in the order of the schema's event features
 * @param candidateIds ids in the order of the schema's candidate features
 * @param userIds ids in the order of the schema's user features, then its context features
 * @param labels in the order of the schema's tasks, each in [0, 1] or NaN for a missing one
 */
public record Interaction(
    long userKey, long time, long[] eventIds, long[] candidateIds, long[] userIds, float[] labels) {
  private static final long[] NONE = {};

  /** Checks presence; {@link RequestBuilder} checks the rest. */
  public Interaction {
    Objects.requireNonNull(eventIds, "eventIds");
    Objects.requireNonNull(candidateIds, "candidateIds");
    Objects.requireNonNull(userIds, "userIds");
    Objects.requireNonNull(labels, "labels");
  }

  /** A row without user and context ids. */
  public Interaction(
      long userKey, long time, long[] eventIds, long[] candidateIds, float[] labels) {
    this(userKey, time, eventIds, candidateIds, NONE, labels);
  }
}
