package ai.longer.serving;

import java.util.Comparator;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Probabilities of candidates, in request order.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class Scores {
  private final float[] values;
  private final int numTasks;
  private final int numCandidates;

  /** Shares {@code values}, row-major [tasks, C]. */
  Scores(float[] values, int numTasks, int numCandidates) {
    this.values = values;
    this.numTasks = numTasks;
    this.numCandidates = numCandidates;
  }

  /** Returns the number of tasks. */
  public int numTasks() {
    return numTasks;
  }

  /** Returns C, the number of candidates. */
  public int numCandidates() {
    return numCandidates;
  }

  /** Returns a candidate's probability of the first task. */
  public float get(int candidate) {
    return get(0, candidate);
  }

  /** Returns a candidate's probability of a task. */
  public float get(int task, int candidate) {
    return values[
        Objects.checkIndex(task, numTasks) * numCandidates
            + Objects.checkIndex(candidate, numCandidates)];
  }

  /** Returns a copy of all probabilities, row-major [tasks, C]. */
  public float[] toArray() {
    return values.clone();
  }

  /** Returns the {@code k} best candidates of the first task, best first; ties by index. */
  public int[] top(int k) {
    return IntStream.range(0, numCandidates)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -get(i)).thenComparing(i -> i))
        .limit(k)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  @Override
  public String toString() {
    return "Scores[%d tasks, %d candidates]".formatted(numTasks, numCandidates);
  }
}
