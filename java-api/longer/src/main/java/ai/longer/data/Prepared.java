package ai.longer.data;

import java.nio.file.Path;

/**
 * What {@link Prepare} made of logs. A part that got no request has no shards, and counts of 0.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param rows rows read
 * @param users users that these are of
 * @param training requests before each user's validation and test periods
 * @param validation requests of each user's validation period
 * @param test requests of each user's test period
 */
public record Prepared(
    long rows, long users, ShardCounts training, ShardCounts validation, ShardCounts test) {
  /** Returns where the training shards of a prepared folder lie. */
  public static Path training(Path folder) {
    return folder.resolve("training.shards");
  }

  /** Returns where the validation shards of a prepared folder lie, if it has any. */
  public static Path validation(Path folder) {
    return folder.resolve("validation.shards");
  }

  /** Returns where the test shards of a prepared folder lie, if it has any. */
  public static Path test(Path folder) {
    return folder.resolve("test.shards");
  }
}
