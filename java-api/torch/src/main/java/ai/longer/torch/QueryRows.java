package ai.longer.torch;

import ai.longer.LongerConfig;
import ai.longer.QueryStrategy;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Which rows of the merged side go on as queries (LONGER §3.5.2). */
final class QueryRows {
  private QueryRows() {}

  /**
   * Rows of the merged side of a request, oldest first: its merged tokens, then the learned rows.
   */
  static int numMergedRows(LongerConfig config, int numGroups) {
    return numGroups + numLearned(config);
  }

  /** Learned rows, which every request has. */
  static int numLearned(LongerConfig config) {
    return config.queryStrategy() == QueryStrategy.LEARNABLE ? config.queries() : 0;
  }

  /** Most query rows that a request can have. */
  static int most(LongerConfig config) {
    return config.queries() + config.queryBlock() - 1;
  }

  /** The query rows of a request with {@code numGroups} merged tokens, ascending. */
  static int[] of(LongerConfig config, int numGroups) {
    int k = config.queries();
    return switch (config.queryStrategy()) {
      case RECENT -> {
        int start = Math.max(0, numGroups - k) / config.queryBlock() * config.queryBlock();
        yield IntStream.range(start, numGroups).toArray();
      }
      case UNIFORM -> uniform(Math.min(k, numGroups), numGroups);
      case RECENT_AND_UNIFORM -> {
        int recent = Math.min((k + 1) / 2, numGroups);
        int older = numGroups - recent;
        yield IntStream.concat(
                Arrays.stream(uniform(Math.min(k - (k + 1) / 2, older), older)),
                IntStream.range(older, numGroups))
            .toArray();
      }
      case LEARNABLE -> IntStream.range(numGroups, numGroups + k).toArray();
    };
  }

  /** {@code count} of {@code numGroups} groups, evenly spread from the newest on, ascending. */
  private static int[] uniform(int count, int numGroups) {
    return IntStream.range(0, count)
        .map(j -> numGroups - 1 - (int) ((long) j * numGroups / count))
        .sorted()
        .toArray();
  }
}
