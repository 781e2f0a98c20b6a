package ai.longer.internal;

import ai.longer.internal.capi.longer_batch;

/** A {@code longer_batch}, whoever holds its memory. Not thread-safe. */
public abstract sealed class NativeBatch permits BatchBuffer, ReaderBatch {
  abstract longer_batch pointer();

  /** Returns the number of scores of this batch, tasks · sum of C. */
  public abstract int numScores();

  /** Returns a copy of the labels of the first task [sum of C]. */
  public abstract float[] firstLabels();
}
