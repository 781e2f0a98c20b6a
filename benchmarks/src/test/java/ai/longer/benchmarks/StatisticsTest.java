package ai.longer.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void statisticsKeepMiddleAndEnds() {
    assertEquals(new Statistics(2, 1, 5), Statistics.of(5, 1, 2));
    assertEquals(new Statistics(1.5, 1, 2), Statistics.of(2, 1));
  }
}
