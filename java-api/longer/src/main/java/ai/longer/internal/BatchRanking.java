package ai.longer.internal;

import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_ranker;
import ai.longer.internal.capi.longer_ranking_request;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/** Ranks batches of one request without the user cache. Not thread-safe. */
final class BatchRanking {
  private final ByteBuffer request = Memory.allocate(RankCall.REQUEST_BYTES);
  private final longer_ranking_request pointer = new longer_ranking_request(new Pointer(request));
  private final NativeError error = new NativeError();

  BatchRanking() {
    request.putLong(0, RankCall.REQUEST_BYTES);
    request.putLong(8, LongerC.LONGER_CACHE_NONE);
  }

  float[] rank(longer_ranker ranker, NativeBatch batch) {
    request.putLong(32, batch.pointer().address());
    float[] scores = new float[batch.numScores()];
    error.check(
        LongerC.longer_ranker_rank(ranker, pointer, scores, scores.length, error.pointer()));
    return scores;
  }
}
