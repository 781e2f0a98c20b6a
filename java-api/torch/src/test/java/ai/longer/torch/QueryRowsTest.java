package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import ai.longer.LongerConfig;
import ai.longer.QueryStrategy;
import org.junit.jupiter.api.Test;

/** Rows by hand, from LONGER §3.5.2 as native/docs/model.md tells it. */
class QueryRowsTest {
  @Test
  void recentRowsStartAtABlock() {
    LongerConfig config = queries(QueryStrategy.RECENT, 3);
    check(config, 5, 2, 3, 4);
    check(config, 2, 0, 1);
    check(config, 0);
    LongerConfig blocks = config.toBuilder().queryBlock(2).build();
    check(blocks, 5, 2, 3, 4);
    check(blocks, 6, 2, 3, 4, 5);
  }

  @Test
  void uniformRowsCountFromTheNewest() {
    LongerConfig config = queries(QueryStrategy.UNIFORM, 3);
    check(config, 7, 2, 4, 6); // 6 − ⌊0⌋, 6 − ⌊7/3⌋, 6 − ⌊14/3⌋
    check(config, 3, 0, 1, 2);
    check(config, 1, 0);
    check(config, 0);
  }

  @Test
  void halfRecentHalfUniform() {
    LongerConfig config = queries(QueryStrategy.RECENT_AND_UNIFORM, 5);
    check(config, 10, 3, 6, 7, 8, 9); // of 7 older ones: 6 − ⌊0⌋, 6 − ⌊7/2⌋
    check(config, 4, 0, 1, 2, 3);
    check(config, 2, 0, 1);
    check(config, 0);
  }

  @Test
  void learnedRowsFollowTheGroups() {
    LongerConfig config = queries(QueryStrategy.LEARNABLE, 2);
    check(config, 5, 5, 6);
    check(config, 0, 0, 1);
  }

  private static LongerConfig queries(QueryStrategy strategy, int k) {
    return OptionGrid.first().toBuilder().queries(strategy, k).build();
  }

  private static void check(LongerConfig config, int numGroups, int... expected) {
    assertArrayEquals(expected, QueryRows.of(config, numGroups));
  }
}
