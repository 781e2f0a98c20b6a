package ai.longer.data;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Prepare} made of logs, or {@link PrepareRequests} of requests. A part that got no
 * request has no shards, and counts of 0.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param rows rows read
 * @param users users that these are of; null where rows are requests, whose users are not counted
 * @param training requests before the validation and test periods
 * @param validation requests of the validation period
 * @param test requests of the test period
 */
@SuppressWarnings("exports") // of @Nullable, which is not there at run time
public record Prepared(
    long rows,
    @Nullable Long users,
    ShardCounts training,
    ShardCounts validation,
    ShardCounts test) {
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
