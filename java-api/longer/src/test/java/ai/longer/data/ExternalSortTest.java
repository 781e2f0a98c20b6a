package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExternalSortTest {
  @TempDir Path folder;

  /** All in memory; a few runs; runs of runs; a run a record. */
  @ParameterizedTest
  @CsvSource({"1000000, 4", "5000, 100", "1000, 3", "1, 2"})
  void equalsASortInMemory(long memoryBytes, int maxRuns) {
    SplittableRandom random = new SplittableRandom(3);
    List<ExternalSort.Entry> entries = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      byte[] payload = ByteBuffer.allocate(4 + random.nextInt(20)).putInt(i).array();
      long user = random.nextInt(8) - 4L;
      entries.add(new ExternalSort.Entry(user << 61, random.nextInt(5), payload));
    }
    List<Integer> got = new ArrayList<>();
    try (ExternalSort sort = new ExternalSort(folder, memoryBytes, maxRuns)) {
      entries.forEach(e -> sort.add(e.user(), e.time(), e.payload()));
      Iterator<ExternalSort.Entry> sorted = sort.sorted();
      while (sorted.hasNext()) {
        got.add(ByteBuffer.wrap(sorted.next().payload()).getInt());
      }
    }
    entries.sort(
        Comparator.comparingLong(ExternalSort.Entry::user)
            .thenComparingLong(ExternalSort.Entry::time));
    assertThat(got)
        .isEqualTo(entries.stream().map(e -> ByteBuffer.wrap(e.payload()).getInt()).toList());
    assertThat(folder.toFile().list()).isEmpty();
  }

  @Test
  void mayBeEmpty() {
    try (ExternalSort sort = new ExternalSort(folder, 1, 2)) {
      assertThat(sort.sorted().hasNext()).isFalse();
    }
  }
}
