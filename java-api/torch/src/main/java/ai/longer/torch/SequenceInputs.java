package ai.longer.torch;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A batch as rectangles for a {@link SequenceNetwork}: every request has L event columns, its
 * newest event last, and C candidates, its own first. Pads hold numbers without meaning; whatever
 * reads an event must mask it by {@link #present}.
 *
 * @param events embedding rows of the event features side by side [B, L, width], L at least 1
 * @param present 1 where an event stands, 0 in pads [B, L, 1]
 * @param positions row of the position table, 0 = newest under {@link ai.longer.Anchor#NEWEST}
 *     [B·L]
 * @param buckets row of the time table [B·L]
 * @param users user and context features side by side [B, width]; null without such features
 * @param userBuckets row of the table for the time since the newest event [B]
 * @param candidates candidate features side by side [B, C, width]
 */
public record SequenceInputs(
    Tensor events,
    Tensor present,
    Tensor positions,
    Tensor buckets,
    @Nullable Tensor users,
    Tensor userBuckets,
    Tensor candidates) {

  static SequenceInputs of(PaddedBatch batch, Embeddings inputs, Precision precision) {
    long numRequests = batch.numRequests();
    boolean isEmpty = batch.numSlots() == 0;
    long columns = isEmpty ? 1 : batch.numSlots();
    long[] ids = new long[(int) (numRequests * columns)];
    float[] present = new float[ids.length];
    for (int i = 0; i < present.length && !isEmpty; i++) {
      present[i] = batch.events[i] == PaddedBatch.PAD ? 0F : 1F;
    }
    Tensor events = inputs.events();
    if (isEmpty) {
      int width = (int) events.size(2);
      events = precision.tensor(new float[(int) numRequests * width], numRequests, 1, width);
    }
    return new SequenceInputs(
        events,
        precision.tensor(present, numRequests, columns, 1),
        Tensor.create(isEmpty ? ids : batch.positions, ids.length),
        Tensor.create(isEmpty ? ids : batch.buckets, ids.length),
        inputs.users(),
        Tensor.create(batch.userBuckets, numRequests),
        inputs.candidates());
  }
}
