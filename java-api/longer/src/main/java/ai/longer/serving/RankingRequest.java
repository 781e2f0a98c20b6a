package ai.longer.serving;

import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import java.util.Objects;

/**
 * A request with the key its user's keys and values are cached under.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class RankingRequest {
  private final Request request;
  private final boolean cached;
  private final long userKey;
  private final long historyVersion;

  private RankingRequest(Request request, boolean cached, long userKey, long historyVersion) {
    this.request = Objects.requireNonNull(request, "request");
    this.cached = cached;
    this.userKey = userKey;
    this.historyVersion = historyVersion;
  }

  /** A request that neither reads nor fills the user cache. Labels and weights are ignored. */
  public static RankingRequest of(Request request) {
    return new RankingRequest(request, false, 0, 0);
  }

  /**
   * A request without user and context features, at the time of the newest event, that neither
   * reads nor fills the user cache.
   *
   * @throws IllegalArgumentException if the schema has user or context features or the schemas
   *     differ
   */
  public static RankingRequest of(History history, Candidates candidates) {
    return of(Request.builder(history, candidates).build());
  }

  /**
   * Returns this request with the user cache in use.
   *
   * @param userKey the user
   * @param historyVersion any number that changes whenever the history changes, for example its
   *     number of events; 0 = a hash of the history's ids and times
   */
  public RankingRequest cached(long userKey, long historyVersion) {
    return new RankingRequest(request, true, userKey, historyVersion);
  }

  /** Returns this request with another history. */
  RankingRequest withHistory(History history) {
    return new RankingRequest(request.withHistory(history), cached, userKey, historyVersion);
  }

  /** Returns history, candidates, ids and reference time. */
  public Request request() {
    return request;
  }

  /** Returns whether the user cache is used. */
  public boolean isCached() {
    return cached;
  }

  /** Returns the user, 0 when the cache is not used. */
  public long userKey() {
    return userKey;
  }

  /** Returns the version of the history; 0 = a hash of it. */
  public long historyVersion() {
    return historyVersion;
  }

  @Override
  public String toString() {
    return "RankingRequest[%s, %s]"
        .formatted(request, cached ? "user " + userKey + " version " + historyVersion : "uncached");
  }
}
