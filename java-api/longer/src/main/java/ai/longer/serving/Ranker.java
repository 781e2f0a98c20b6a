package ai.longer.serving;

import ai.longer.LongerConfig;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Scores candidates for users.
 *
 * <p>Safe for use by any number of threads, virtual ones too. {@link #close} waits for calls in
 * flight; later calls throw {@link IllegalStateException}.
 */
public final class Ranker implements AutoCloseable {
  private Ranker() {}

  /** Returns the configuration of the model. */
  public LongerConfig config() {
    throw new UnsupportedOperationException();
  }

  /**
   * Scores a request.
   *
   * @throws IllegalArgumentException if the request does not fit the model's schema
   */
  public Scores rank(RankingRequest request) {
    throw new UnsupportedOperationException();
  }

  /**
   * Scores a request into {@code scores}, row-major [tasks, C]; allocates nothing on a platform
   * thread once warm.
   *
   * @throws IllegalArgumentException if the request does not fit the model's schema or {@code
   *     scores} is too short
   */
  public void rank(RankingRequest request, float[] scores) {
    throw new UnsupportedOperationException();
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
    throw new UnsupportedOperationException();
  }

  /**
   * Scores a cached request whose history is left empty, with the user's cached keys and values;
   * {@code history} is asked only when there are none that match.
   *
   * @throws IllegalArgumentException if the request is not {@linkplain RankingRequest#cached
   *     cached}, its history version is 0 or its history is not empty
   */
  public Scores rank(RankingRequest request, Supplier<History> history) {
    throw new UnsupportedOperationException();
  }

  /**
   * Scores a request on another thread. The request is copied before this method returns.
   * Cancelling the future takes the request back if it has not started.
   *
   * @throws ai.longer.OverloadedException if the queue is full
   */
  public CompletableFuture<Scores> rankAsync(RankingRequest request) {
    throw new UnsupportedOperationException();
  }

  /** Tells which events drew candidate {@code candidate}'s attention, for the first task. */
  public Explanation explain(RankingRequest request, int candidate) {
    return explain(request, candidate, 0);
  }

  /** Tells which events drew candidate {@code candidate}'s attention, for a task. */
  public Explanation explain(RankingRequest request, int candidate, int task) {
    throw new UnsupportedOperationException();
  }

  /** Returns the final vectors of globals and candidates. */
  public Representation represent(RankingRequest request) {
    throw new UnsupportedOperationException();
  }

  /** Returns counts since this ranker was made. */
  public RankerStats stats() {
    throw new UnsupportedOperationException();
  }

  /** Drops a user's cached keys and values; returns whether there were any. */
  public boolean evict(long userKey) {
    throw new UnsupportedOperationException();
  }

  /** Frees everything; waits for calls in flight. */
  @Override
  public void close() {}
}
