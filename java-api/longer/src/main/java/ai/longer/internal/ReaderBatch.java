package ai.longer.internal;

import ai.longer.internal.capi.longer_batch;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

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
    float[] labels = new float[numCandidates()];
    if (labels.length > 0) {
      pointer.labels().get(labels);
    }
    return labels;
  }

  /** Returns a copy of the candidates' offsets [B + 1]. */
  public long[] candidateOffsets() {
    long[] offsets = new long[numRequests() + 1];
    pointer.candidate_offsets().get(offsets);
    return offsets;
  }
}
