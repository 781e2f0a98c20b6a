package ai.longer.data;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * One row of a log: what a user did, and what a model would have had to predict. Lists and arrays
 * are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param userKey the user
 * @param time epoch second
 * @param event values in the order of the schema's event features
 * @param candidate values in the order of the schema's candidate features
 * @param user values in the order of the schema's user features, then its context features
 * @param labels in the order of the schema's tasks, each in [0, 1] or NaN for a missing one
 */
public record Interaction(
    long userKey,
    long time,
    List<Value> event,
    List<Value> candidate,
    List<Value> user,
    float[] labels) {
  /** Checks presence; {@link RequestBuilder} checks the rest. */
  public Interaction {
    Objects.requireNonNull(event, "event");
    Objects.requireNonNull(candidate, "candidate");
    Objects.requireNonNull(user, "user");
    Objects.requireNonNull(labels, "labels");
  }

  /** A row of ids, for a schema of categorical features with one value. */
  public Interaction(
      long userKey,
      long time,
      long[] eventIds,
      long[] candidateIds,
      long[] userIds,
      float[] labels) {
    this(userKey, time, values(eventIds), values(candidateIds), values(userIds), labels);
  }

  /** As the row of ids, without user and context features. */
  public Interaction(
      long userKey, long time, long[] eventIds, long[] candidateIds, float[] labels) {
    this(userKey, time, values(eventIds), values(candidateIds), List.of(), labels);
  }

  private static List<Value> values(long[] ids) {
    return Arrays.stream(ids).mapToObj(Value::id).toList();
  }
}
