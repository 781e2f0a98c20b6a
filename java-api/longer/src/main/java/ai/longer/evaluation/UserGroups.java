package ai.longer.evaluation;

import java.util.Arrays;

/** Rows numbered by user: group g of row i, groups ordered by user key. */
final class UserGroups {
  private final int[] groups;
  private final int[] offsets;

  private UserGroups(int[] groups, int[] offsets) {
    this.groups = groups;
    this.offsets = offsets;
  }

  static UserGroups of(long[] users) {
    long[] keys = Arrays.stream(users).sorted().distinct().toArray();
    int[] groups = new int[users.length];
    int[] offsets = new int[keys.length + 1];
    for (int i = 0; i < users.length; i++) {
      groups[i] = Arrays.binarySearch(keys, users[i]);
      offsets[groups[i] + 1]++;
    }
    Arrays.parallelPrefix(offsets, Integer::sum);
    return new UserGroups(groups, offsets);
  }

  /** The number of users. */
  int size() {
    return offsets.length - 1;
  }

  /** The group of row {@code row}. */
  int group(int row) {
    return groups[row];
  }

  /** Where each group's rows start when rows are laid out by group, [groups + 1]. */
  int[] offsets() {
    return offsets;
  }
}
