package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class CoveringArrayTest {
  @Test
  void anyTwoLevelsMeet() {
    int[] numLevels = {5, 5, 4, 3, 3, 3, 2, 2, 1};
    List<int[]> rows = CoveringArray.pairwise(numLevels);
    for (int f = 0; f < numLevels.length; f++) {
      for (int g = f + 1; g < numLevels.length; g++) {
        for (int i = 0; i < numLevels[f] * numLevels[g]; i++) {
          int level = i / numLevels[g];
          int other = i % numLevels[g];
          int one = f;
          int two = g;
          assertTrue(
              rows.stream().anyMatch(row -> row[one] == level && row[two] == other),
              () -> "level %d of %d with level %d of %d".formatted(level, one, other, two));
        }
      }
    }
    assertTrue(rows.size() >= 25 && rows.size() <= 35, () -> rows.size() + " rows");
    assertArrayEquals(new int[numLevels.length], rows.get(0));
  }

  @Test
  void twoFactorsGiveTheirProduct() {
    assertTrue(CoveringArray.pairwise(4, 3).size() == 12);
  }
}
