package ai.longer.serving;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * How much each event of the history drew a candidate's attention: that of the candidate's rows to
 * each merged group in the cross-causal layer, mean over heads and rows, spread over the group's
 * events by |gradient of the task's logit · event token|.
 *
 * <p>Arrays are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param candidate the candidate explained
 * @param task the task explained
 * @param attribution one share per event, at least 0 [L]; they sum to 1 over the events that the
 *     model keeps, and are 0 for older ones
 */
public record Explanation(int candidate, int task, float[] attribution) {
  /** Returns the {@code k} events with the largest shares, largest first; ties by index. */
  public int[] top(int k) {
    return IntStream.range(0, attribution.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -attribution[i]).thenComparing(i -> i))
        .limit(k)
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
