package ai.longer.serving;

import java.time.Duration;
import java.util.Objects;

/**
 * How to rank.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param userCacheBytes limit of cached user keys and values in bytes; 0 = no cache
 * @param queueCapacity waiting asynchronous requests before {@link ai.longer.OverloadedException}
 * @param timeToLive age at which a user's cached keys and values are dropped, counted in
 *     milliseconds since they were encoded or last appended to; zero = never
 */
public record RankerOptions(long userCacheBytes, int queueCapacity, Duration timeToLive) {
  private static final Duration LONGEST = Duration.ofDays(36_500);

  /** Checks the numbers. */
  public RankerOptions {
    Objects.requireNonNull(timeToLive, "timeToLive");
    if (!timeToLive.isZero()
        && (timeToLive.compareTo(Duration.ofMillis(1)) < 0 || timeToLive.compareTo(LONGEST) > 0)) {
      throw new IllegalArgumentException(
          "[ranker_options] time to live must be zero or from a millisecond to a century; got "
              + timeToLive);
    }
    if (userCacheBytes < 0) {
      throw new IllegalArgumentException(
          "[ranker_options] user cache bytes must not be negative; got " + userCacheBytes);
    }
    if (queueCapacity < 1) {
      throw new IllegalArgumentException(
          "[ranker_options] queue capacity must be at least 1; got " + queueCapacity);
    }
  }

  /** No user cache, 1024 waiting requests, no time to live. */
  public static RankerOptions defaults() {
    return builder().build();
  }

  /** Starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private long userCacheBytes;
    private int queueCapacity = 1024;
    private Duration timeToLive = Duration.ZERO;

    private Builder() {}

    /** Sets the limit of cached user keys and values in bytes; 0 = no cache; default 0. */
    public Builder userCacheBytes(long bytes) {
      userCacheBytes = bytes;
      return this;
    }

    /** Sets the waiting asynchronous requests before an overload error; default 1024. */
    public Builder queueCapacity(int requests) {
      queueCapacity = requests;
      return this;
    }

    /**
     * Sets the age at which a user's cached keys and values are dropped, counted since they were
     * encoded or last appended to; zero, the default, = never.
     */
    public Builder timeToLive(Duration age) {
      timeToLive = age;
      return this;
    }

    /** Returns the options. */
    public RankerOptions build() {
      return new RankerOptions(userCacheBytes, queueCapacity, timeToLive);
    }
  }
}
