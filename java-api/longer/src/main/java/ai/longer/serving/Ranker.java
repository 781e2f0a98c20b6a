package ai.longer.serving;

import ai.longer.LongerConfig;
import ai.longer.LongerException;
import ai.longer.LongerModel;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.internal.Access;
import ai.longer.internal.EventsOnly;
import ai.longer.internal.ModelAccess;
import ai.longer.internal.RankerHandle;
import ai.longer.internal.RankerHandle.CacheMode;
import ai.longer.internal.VirtualThreads;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * Scores candidates for users.
 *
 * <p>Safe for use by any number of threads, virtual ones too. {@link #close} waits for calls in
 * flight; later calls throw {@link IllegalStateException}.
 */
public final class Ranker implements AutoCloseable {
  static {
    Access.RANKER.set(ranker -> ranker.handle.scorer());
  }

  private final RankerHandle handle;

  private Ranker(RankerHandle handle) {
    this.handle = handle;
  }

  /**
   * Makes a ranker over a model's weights, which it shares: the model may be closed.
   *
   * @throws IllegalStateException if the model is closed
   */
  public static Ranker create(LongerModel model, RankerOptions options) {
    return new Ranker(RankerHandle.create(ModelAccess.get().unwrap(model), options));
  }

  /** Returns the configuration of the model. */
  public LongerConfig config() {
    return handle.config();
  }

  /**
   * Scores a request.
   *
   * @throws IllegalArgumentException if the request does not fit the model's schema
   */
  public Scores rank(RankingRequest request) {
    float[] scores = new float[numScores(request)];
    rank(request, scores);
    return new Scores(scores, numTasks(), request.request().candidates().size());
  }

  /**
   * Scores a request into {@code scores}, row-major [tasks, C]; allocates nothing on a platform
   * thread once warm.
   *
   * @throws IllegalArgumentException if the request does not fit the model's schema or {@code
   *     scores} is too short
   */
  public void rank(RankingRequest request, float[] scores) {
    if (!rank(request, CacheMode.OF_REQUEST, scores)) {
      throw unexpectedMiss();
    }
  }

  /**
   * Scores candidates with the user's cached keys and values; {@code history} is asked only when
   * there are none that match. For schemas without user and context features.
   */
  public Scores rank(
      long userKey,
      long historyVersion,
      long referenceTime,
      Candidates candidates,
      Supplier<History> history) {
    Request request =
        Request.builder(History.empty(candidates.schema()), candidates)
            .referenceTime(referenceTime)
            .build();
    return rank(RankingRequest.of(request).cached(userKey, historyVersion), history);
  }

  /**
   * Scores a cached request whose history is left empty, with the user's cached keys and values;
   * {@code history} is asked only when there are none that match.
   *
   * @throws IllegalArgumentException if the request is not {@linkplain RankingRequest#cached
   *     cached}, its history version is 0 or its history is not empty
   */
  public Scores rank(RankingRequest request, Supplier<History> history) {
    if (!request.isCached() || request.historyVersion() == 0) {
      throw new IllegalArgumentException(
          "[rank] a history supplier needs a cached request with a history version; got "
              + request);
    }
    if (request.request().history().size() != 0) {
      throw new IllegalArgumentException(
          "[rank] with a history supplier the request's history must be empty; got " + request);
    }
    float[] scores = new float[numScores(request)];
    if (!rank(request, CacheMode.ONLY, scores)) {
      rank(request.withHistory(history.get()), scores);
    }
    return new Scores(scores, numTasks(), request.request().candidates().size());
  }

  /**
   * Appends new events to what is cached of a user, whatever its version; the new version is the
   * hash of the history, which {@linkplain RankingRequest#cached requests with version 0} match.
   *
   * @return whether they were appended; see {@link #append(long, History, long, long)}
   */
  public boolean append(long userKey, History events) {
    return append(userKey, events, 0, 0);
  }

  /**
   * Appends new events to what is cached of a user, so that the next request needs no whole history
   * again. What the events change is encoded and no more; scores are bit for bit those of the whole
   * history. Requests at the same time are ranked with the history before or after; of two appends
   * to one user the second's expected version decides whether it comes too late.
   *
   * <p>Returns false and changes nothing when no history or another version of it is cached, when
   * the window over it moves, and with models that must encode the whole history anew: all but
   * those with anchor OLDEST, time EVENT_RELATIVE or NONE, and recent queries. Rank with the whole
   * history then.
   *
   * @param events the new events alone; a first ordinal other than 0 must be the number of events
   *     that the cached history has
   * @param expectedVersion version that the cached history must have; 0 = any
   * @param newVersion its version afterwards; 0 = the hash of the history
   * @return whether the events were appended
   * @throws IllegalArgumentException if the events do not fit the model's schema or one is older
   *     than the newest in the cached history
   */
  public boolean append(long userKey, History events, long expectedVersion, long newVersion) {
    if (!VirtualThreads.isCurrent()) {
      return handle.append(userKey, events, expectedVersion, newVersion);
    }
    return join(
        CompletableFuture.supplyAsync(
            () -> handle.append(userKey, events, expectedVersion, newVersion)));
  }

  /**
   * As {@link #append(long, History, long, long)}; when the events cannot be appended, {@code
   * history} is asked for the whole history, these events included, which takes the place of what
   * is cached.
   *
   * @return whether the events were appended; false: the whole history was encoded
   */
  public boolean append(
      long userKey,
      History events,
      long expectedVersion,
      long newVersion,
      Supplier<History> history) {
    if (append(userKey, events, expectedVersion, newVersion)) {
      return true;
    }
    Request whole = EventsOnly.request(history.get());
    rank(RankingRequest.of(whole).cached(userKey, newVersion), new float[0]);
    return false;
  }

  private boolean rank(RankingRequest request, CacheMode mode, float[] scores) {
    return VirtualThreads.isCurrent()
        ? rankThroughQueue(request, mode, scores)
        : handle.rank(request, mode, scores);
  }

  /** A native call would pin a virtual thread to its carrier; waiting for a future does not. */
  private boolean rankThroughQueue(RankingRequest request, CacheMode mode, float[] scores) {
    if (scores.length < numScores(request)) {
      throw new IllegalArgumentException(
          "[rank] scores must have room for tasks · candidates = %d values; got %d"
              .formatted(numScores(request), scores.length));
    }
    CompletableFuture<Boolean> hit =
        handle.rankAsync(
            request,
            mode,
            ranked -> {
              if (ranked != null) {
                System.arraycopy(ranked, 0, scores, 0, ranked.length);
              }
              return ranked != null;
            });
    return join(hit);
  }

  private static boolean join(CompletableFuture<Boolean> answer) {
    try {
      return answer.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static LongerException unexpectedMiss() {
    return new LongerException("[rank] a cache miss although the history is there");
  }

  private int numTasks() {
    return handle.config().schema().tasks().size();
  }

  private int numScores(RankingRequest request) {
    return Math.multiplyExact(numTasks(), request.request().candidates().size());
  }

  /**
   * Scores a request on another thread. The request is copied before this method returns.
   * Cancelling the future takes the request back if it has not started.
   *
   * <p>Actions that depend on the future without an executor of their own run on the one thread
   * that completes futures: they must not block.
   *
   * @throws ai.longer.OverloadedException if the queue is full
   */
  public CompletableFuture<Scores> rankAsync(RankingRequest request) {
    int numCandidates = request.request().candidates().size();
    return handle.rankAsync(
        request,
        CacheMode.OF_REQUEST,
        scores -> {
          if (scores == null) {
            throw unexpectedMiss();
          }
          return new Scores(scores, numTasks(), numCandidates);
        });
  }

  /** Tells which events drew candidate {@code candidate}'s attention, for the first task. */
  public Explanation explain(RankingRequest request, int candidate) {
    return explain(request, candidate, 0);
  }

  /** Tells which events drew candidate {@code candidate}'s attention, for a task. */
  public Explanation explain(RankingRequest request, int candidate, int task) {
    return handle.explain(request, candidate, task);
  }

  /** Returns the final vectors of globals and candidates. */
  public Representation represent(RankingRequest request) {
    return handle.represent(request);
  }

  /** Returns counts since this ranker was made. */
  public RankerStats stats() {
    return handle.stats();
  }

  /** Drops a user's cached keys and values; returns whether there were any. */
  public boolean evict(long userKey) {
    return handle.evict(userKey);
  }

  /** Frees everything; waits for calls in flight. */
  @Override
  public void close() {
    handle.close();
  }
}
