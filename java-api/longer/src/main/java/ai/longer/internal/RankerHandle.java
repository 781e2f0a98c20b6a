package ai.longer.internal;

import ai.longer.LongerConfig;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_ranker;
import ai.longer.internal.capi.longer_ranker_options;
import ai.longer.internal.capi.longer_ranker_stats;
import ai.longer.serving.Explanation;
import ai.longer.serving.RankerOptions;
import ai.longer.serving.RankerStats;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Representation;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** A {@code longer_ranker}. Safe for use by any number of threads. */
public final class RankerHandle extends NativeHandle {
  /** How a request uses the user cache. */
  public enum CacheMode {
    /** As the request says. */
    OF_REQUEST,
    /** Cached keys and values only. */
    ONLY
  }

  private static final int OPTIONS_BYTES = 32;
  private static final int STATS_BYTES = 88;

  private final longer_ranker pointer;
  private final LongerConfig config;
  private final RankCall.Pool calls;
  private final AsyncRanking async;

  private RankerHandle(longer_ranker pointer, LongerConfig config) {
    super("ranker", () -> LongerC.longer_ranker_destroy(pointer));
    this.pointer = pointer;
    this.config = config;
    this.calls = new RankCall.Pool(config);
    this.async = new AsyncRanking(this, pointer);
  }

  /** Makes a ranker over a model's weights. */
  public static RankerHandle create(ModelHandle model, RankerOptions options) {
    ByteBuffer struct = Memory.allocate(OPTIONS_BYTES);
    struct.putLong(0, OPTIONS_BYTES);
    struct.putLong(8, options.userCacheBytes());
    struct.putLong(16, options.queueCapacity());
    struct.putLong(24, options.timeToLive().toMillis());
    NativeError error = new NativeError();
    return new RankerHandle(
        model.call(
            m ->
                error.checkCreated(
                    LongerC.longer_ranker_create(
                        m, new longer_ranker_options(new Pointer(struct)), error.pointer()))),
        model.config());
  }

  /** Returns the configuration of the model. */
  public LongerConfig config() {
    return config;
  }

  private static int nativeMode(RankingRequest request, CacheMode mode) {
    if (mode == CacheMode.ONLY) {
      return LongerC.LONGER_CACHE_ONLY;
    }
    return request.isCached() ? LongerC.LONGER_CACHE_USE : LongerC.LONGER_CACHE_NONE;
  }

  /**
   * Scores a request into {@code scores}.
   *
   * @return false on a cache miss, with mode ONLY
   * @throws IllegalArgumentException if {@code scores} is too short
   */
  public boolean rank(RankingRequest request, CacheMode mode, float[] scores) {
    enter();
    try {
      RankCall call = calls.take();
      try {
        call.fill(request, nativeMode(request, mode));
        if (scores.length < call.numScores()) {
          throw new IllegalArgumentException(
              "[rank] scores must have room for tasks · candidates = %d values; got %d"
                  .formatted(call.numScores(), scores.length));
        }
        if (!call.rank(pointer)) {
          return false;
        }
        call.copyScores(scores);
        return true;
      } finally {
        calls.giveBack(call);
      }
    } finally {
      exit();
    }
  }

  /** Returns what scores batches of one request without the user cache; for one thread. */
  public BatchScorer scorer() {
    BatchRanking ranking = new BatchRanking();
    return batch -> {
      enter();
      try {
        return ranking.rank(pointer, batch);
      } finally {
        exit();
      }
    };
  }

  /**
   * Scores a request on another thread.
   *
   * @param result makes the future's value of the scores, which are null on a cache miss
   */
  public <T> CompletableFuture<T> rankAsync(
      RankingRequest request, CacheMode mode, Function<float @Nullable [], T> result) {
    enter();
    try {
      RankCall call = calls.take();
      try {
        call.fill(request, nativeMode(request, mode));
        return async.submit(call, result);
      } finally {
        calls.giveBack(call);
      }
    } finally {
      exit();
    }
  }

  /**
   * Appends events to a user's cached history; 0 as a version = any before, the hash after.
   *
   * @return false when the whole history is needed
   */
  public boolean append(long userKey, History events, long expectedVersion, long newVersion) {
    enter();
    try {
      RankCall call = calls.take();
      try {
        Request request = EventsOnly.request(events);
        call.fill(
            RankingRequest.of(request).cached(userKey, expectedVersion), LongerC.LONGER_CACHE_USE);
        return call.append(pointer, newVersion);
      } finally {
        calls.giveBack(call);
      }
    } finally {
      exit();
    }
  }

  /** Takes a submission back; returns whether it had not started. */
  boolean cancel(long tag) {
    enter();
    try {
      NativeError error = new NativeError();
      int[] cancelled = new int[1];
      error.check(LongerC.longer_ranker_cancel(pointer, tag, cancelled, error.pointer()));
      return cancelled[0] != 0;
    } finally {
      exit();
    }
  }

  /** Tells which events drew a candidate's attention. */
  public Explanation explain(RankingRequest request, int candidate, int task) {
    enter();
    try {
      RankCall call = calls.take();
      try {
        call.fill(request, nativeMode(request, CacheMode.OF_REQUEST));
        float[] attribution = new float[call.numEvents()];
        call.error()
            .check(
                LongerC.longer_ranker_explain(
                    pointer,
                    call.requestPointer(),
                    candidate,
                    task,
                    attribution,
                    attribution.length,
                    call.errorPointer()));
        return new Explanation(candidate, task, attribution);
      } finally {
        calls.giveBack(call);
      }
    } finally {
      exit();
    }
  }

  /** Returns the final vectors of globals and candidates. */
  public Representation represent(RankingRequest request) {
    enter();
    try {
      RankCall call = calls.take();
      try {
        call.fill(request, nativeMode(request, CacheMode.OF_REQUEST));
        int width = config.modelWidth();
        int rows = config.rowsPerCandidate();
        float[] globals = new float[Math.multiplyExact(config.numRequestRows(), width)];
        float[] candidates =
            new float[Math.multiplyExact(call.numCandidates(), Math.multiplyExact(rows, width))];
        call.error()
            .check(
                LongerC.longer_ranker_represent(
                    pointer,
                    call.requestPointer(),
                    globals,
                    globals.length,
                    candidates,
                    candidates.length,
                    call.errorPointer()));
        return new Representation(globals, candidates, width, rows);
      } finally {
        calls.giveBack(call);
      }
    } finally {
      exit();
    }
  }

  /** Returns counts. */
  public RankerStats stats() {
    enter();
    try {
      NativeError error = new NativeError();
      ByteBuffer stats = Memory.allocate(STATS_BYTES);
      stats.putLong(0, STATS_BYTES);
      error.check(
          LongerC.longer_ranker_get_stats(
              pointer, new longer_ranker_stats(new Pointer(stats)), error.pointer()));
      return new RankerStats(
          stats.getLong(8),
          stats.getLong(16),
          stats.getLong(24),
          stats.getLong(32),
          stats.getLong(40),
          stats.getLong(48),
          stats.getLong(56),
          stats.getLong(64),
          stats.getLong(72),
          stats.getLong(80));
    } finally {
      exit();
    }
  }

  /** Drops a user's cached keys and values; returns whether there were any. */
  public boolean evict(long userKey) {
    enter();
    try {
      NativeError error = new NativeError();
      int[] evicted = new int[1];
      error.check(LongerC.longer_ranker_evict(pointer, userKey, evicted, error.pointer()));
      return evicted[0] != 0;
    } finally {
      exit();
    }
  }

  /** Counts the polling thread, which starts within a call. */
  void retainForPolling() {
    retain();
  }

  /** Ends {@link #retainForPolling}. */
  void releaseFromPolling() {
    exit();
  }

  @Override
  protected boolean mayWait() {
    return !async.isPollingThread();
  }
}
