package ai.longer.internal;

/** Scores batches. */
@FunctionalInterface
public interface BatchScorer {
  /** Returns probabilities, [tasks, sum of C]. */
  float[] score(NativeBatch batch);
}
