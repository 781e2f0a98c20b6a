package ai.longer.internal;

import ai.longer.LongerConfig;
import ai.longer.data.Request;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_error;
import ai.longer.internal.capi.longer_ranker;
import ai.longer.internal.capi.longer_ranking_request;
import ai.longer.serving.RankingRequest;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** Everything one ranking call needs in direct memory, used again and again. Not thread-safe. */
final class RankCall {
  static final int REQUEST_BYTES = 48;
  private static final int FIRST_SCORES = 256;

  private final BatchBuffer batch;
  private final long batchAddress;
  private final ByteBuffer request = Memory.allocate(REQUEST_BYTES);
  private final longer_ranking_request requestPointer =
      new longer_ranking_request(new Pointer(request));
  private final Request[] single = new Request[1];
  private final NativeError error = new NativeError();

  private FloatBuffer scores = FloatBuffer.allocate(0);
  private FloatPointer scoresPointer = new FloatPointer((Pointer) null);

  RankCall(LongerConfig config, SchemaCheck schemaCheck) {
    batch = new BatchBuffer(config, schemaCheck);
    batchAddress = batch.pointer().address();
    request.putLong(0, REQUEST_BYTES);
    request.putLong(32, batchAddress);
    reserveScores(FIRST_SCORES);
  }

  /** Copies the request in. */
  void fill(RankingRequest ranking, int cacheMode) {
    request.putLong(8, cacheMode);
    request.putLong(16, ranking.userKey());
    request.putLong(24, ranking.historyVersion());
    request.putLong(40, 0); // new_history_version
    single[0] = ranking.request();
    batch.fill(single, BatchBuffer.Content.INPUTS);
  }

  /** Scores the request filled in; returns false on a cache miss. */
  boolean rank(longer_ranker ranker) {
    reserveScores(batch.numScores());
    int status =
        LongerC.longer_ranker_rank(
            ranker, requestPointer, scoresPointer, batch.numScores(), error.pointer());
    if (status == LongerC.LONGER_CACHE_MISS) {
      return false;
    }
    error.check(status);
    return true;
  }

  /** Appends the history of the request filled in; returns false on a cache miss. */
  boolean append(longer_ranker ranker, long newVersion) {
    request.putLong(40, newVersion);
    int status = LongerC.longer_ranker_append(ranker, requestPointer, new int[1], error.pointer());
    if (status == LongerC.LONGER_CACHE_MISS) {
      return false;
    }
    error.check(status);
    return true;
  }

  private void reserveScores(int count) {
    if (count > scores.capacity()) {
      ByteBuffer memory = Memory.allocate(Math.multiplyExact(count, Float.BYTES));
      scores = memory.asFloatBuffer();
      scoresPointer = new FloatPointer(new Pointer(memory));
    }
  }

  int numScores() {
    return batch.numScores();
  }

  int numEvents() {
    return batch.numEvents();
  }

  int numCandidates() {
    return batch.numCandidates();
  }

  longer_ranking_request requestPointer() {
    return requestPointer;
  }

  longer_error errorPointer() {
    return error.pointer();
  }

  NativeError error() {
    return error;
  }

  /** Copies the scores of the last {@link #rank} out. */
  void copyScores(float[] target) {
    scores.get(0, target, 0, batch.numScores());
  }

  /** Forgets the request, so that a pooled call keeps no data alive. */
  void clear() {
    single[0] = null;
  }

  /** A pool without locks or allocation; calls that find no room are left to the collector. */
  static final class Pool {
    private final AtomicReferenceArray<@Nullable RankCall> slots;
    private final LongerConfig config;
    private final SchemaCheck schemaCheck;

    Pool(LongerConfig config) {
      int threads = Runtime.getRuntime().availableProcessors();
      slots = new AtomicReferenceArray<>(Integer.highestOneBit(threads) * 4);
      this.config = config;
      schemaCheck = new SchemaCheck(config.schema());
    }

    RankCall take() {
      int start = slot();
      for (int i = 0; i < slots.length(); i++) {
        int at = (start + i) & (slots.length() - 1);
        if (slots.getPlain(at) != null) {
          RankCall call = slots.getAndSet(at, null);
          if (call != null) {
            return call;
          }
        }
      }
      return new RankCall(config, schemaCheck);
    }

    void giveBack(RankCall call) {
      call.clear();
      int start = slot();
      for (int i = 0; i < slots.length(); i++) {
        if (slots.compareAndSet((start + i) & (slots.length() - 1), null, call)) {
          return;
        }
      }
    }

    private int slot() {
      return (int) Thread.currentThread().getId() & (slots.length() - 1);
    }
  }
}
