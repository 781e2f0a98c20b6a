package ai.longer.serving;

/**
 * How to rank.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param userCacheBytes limit of cached user keys and values in bytes; 0 = no cache
 * @param queueCapacity waiting asynchronous requests before {@link ai.longer.OverloadedException}
 */
public record RankerOptions(long userCacheBytes, int queueCapacity) {
  /** Checks the numbers. */
  public RankerOptions {
    if (userCacheBytes < 0) {
      throw new IllegalArgumentException(
          "[ranker_options] user cache bytes must not be negative; got " + userCacheBytes);
    }
    if (queueCapacity < 1) {
      throw new IllegalArgumentException(
          "[ranker_options] queue capacity must be at least 1; got " + queueCapacity);
    }
  }

  /** No user cache, 1024 waiting requests. */
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

    /** Returns the options. */
    public RankerOptions build() {
      return new RankerOptions(userCacheBytes, queueCapacity);
    }
  }
}
