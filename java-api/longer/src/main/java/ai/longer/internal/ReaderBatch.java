package ai.longer.internal;

import ai.longer.internal.capi.longer_batch;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** What a reader read last: its memory belongs to the reader until the next read. */
public final class ReaderBatch extends NativeBatch {
  private static final int STRUCT_BYTES = 112;

  private final int tasks;
  private final ByteBuffer struct = Memory.allocate(STRUCT_BYTES).putLong(0, STRUCT_BYTES);
  private final longer_batch pointer = new longer_batch(new Pointer(struct));

  ReaderBatch(int tasks) {
    this.tasks = tasks;
  }

  @Override
  longer_batch pointer() {
    return pointer;
  }

  /** Returns B; 0 at the end of the pass. */
  public int numRequests() {
    return Math.toIntExact(struct.getLong(8));
  }

  private int numCandidates() {
    return Math.toIntExact(struct.getLong(24));
  }

  @Override
  public int numScores() {
    return Math.multiplyExact(tasks, numCandidates());
  }

  @Override
  public float[] firstLabels() {
    return labels(0);
  }

  /** Returns a copy of the labels of a task [sum of C]. */
  public float[] labels(int task) {
    float[] labels = new float[numCandidates()];
    if (labels.length > 0) {
      pointer.labels().position((long) task * labels.length).get(labels);
    }
    return labels;
  }

  /** Returns the number of events that each request's user had had [B]. */
  public long[] historyLengths() {
    long[] offsets = new long[numRequests() + 1];
    pointer.event_offsets().get(offsets);
    long[] lengths = new long[numRequests()];
    @Nullable LongPointer firstOrdinals = pointer.first_ordinals();
    if (firstOrdinals != null) {
      firstOrdinals.get(lengths);
    }
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] += offsets[i + 1] - offsets[i];
    }
    return lengths;
  }

  /** Returns a copy of the candidates' offsets [B + 1]. */
  public long[] candidateOffsets() {
    long[] offsets = new long[numRequests() + 1];
    pointer.candidate_offsets().get(offsets);
    return offsets;
  }
}
