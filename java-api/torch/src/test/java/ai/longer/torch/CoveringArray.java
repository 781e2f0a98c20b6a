package ai.longer.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Few combinations of the levels of some factors such that any two levels of different factors
 * occur together in one of them. Deterministic.
 */
final class CoveringArray {
  private static final int FREE = -1;

  private final int[] numLevels;

  /** [factor][level][other factor][its level] whether a row has the pair. */
  private final boolean[][][][] isCovered;

  private CoveringArray(int[] numLevels) {
    this.numLevels = numLevels;
    this.isCovered = new boolean[numLevels.length][][][];
    for (int f = 0; f < numLevels.length; f++) {
      isCovered[f] = new boolean[numLevels[f]][numLevels.length][];
      for (boolean[][] ofLevel : isCovered[f]) {
        Arrays.setAll(ofLevel, g -> new boolean[numLevels[g]]);
      }
    }
  }

  /**
   * Rows of level numbers, one a factor; the first row is all 0.
   *
   * @param numLevels levels of each factor
   */
  static List<int[]> pairwise(int... numLevels) {
    CoveringArray array = new CoveringArray(numLevels);
    List<int[]> rows = new ArrayList<>();
    int @Nullable [] row = new int[numLevels.length];
    while (row != null) {
      rows.add(row);
      array.cover(row);
      row = array.next();
    }
    return rows;
  }

  private void cover(int[] row) {
    for (int f = 0; f < row.length; f++) {
      for (int g = 0; g < row.length; g++) {
        isCovered[f][row[f]][g][row[g]] = true;
      }
    }
  }

  /** A row around the first pair that is open yet, every other level chosen for most open pairs. */
  private int @Nullable [] next() {
    for (int f = 0; f < numLevels.length; f++) {
      for (int level = 0; level < numLevels[f]; level++) {
        for (int g = f + 1; g < numLevels.length; g++) {
          for (int other = 0; other < numLevels[g]; other++) {
            if (!isCovered[f][level][g][other]) {
              int[] row = new int[numLevels.length];
              Arrays.fill(row, FREE);
              row[f] = level;
              row[g] = other;
              return complete(row);
            }
          }
        }
      }
    }
    return null;
  }

  private int[] complete(int[] row) {
    for (int f = 0; f < row.length; f++) {
      if (row[f] == FREE) {
        int best = 0;
        for (int level = 1; level < numLevels[f]; level++) {
          best = numOpen(row, f, level) > numOpen(row, f, best) ? level : best;
        }
        row[f] = best;
      }
    }
    return row;
  }

  /** Open pairs of a level with what the row holds; pairs with what is still free weigh little. */
  private double numOpen(int[] row, int f, int level) {
    double open = 0;
    for (int g = 0; g < row.length; g++) {
      if (g != f && row[g] != FREE) {
        open += isCovered[f][level][g][row[g]] ? 0 : 1;
      } else if (g != f) {
        int openLevels = 0;
        for (boolean covered : isCovered[f][level][g]) {
          openLevels += covered ? 0 : 1;
        }
        open += 0.01 * openLevels / numLevels[g];
      }
    }
    return open;
  }
}
