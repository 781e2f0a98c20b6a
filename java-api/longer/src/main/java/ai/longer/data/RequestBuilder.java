package ai.longer.data;

import ai.longer.Schema;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Turns a log into requests without leakage. */
public final class RequestBuilder {
  private RequestBuilder() {}

  /**
   * Starts from a log sorted by user key, then time.
   *
   * @param log makes a stream over the rows, once per pass
   */
  public static Builder builder(Schema schema, Supplier<Stream<Interaction>> log) {
    throw new UnsupportedOperationException();
  }

  /** Returns the requests before the validation and test periods of each user. */
  public RequestSource training() {
    throw new UnsupportedOperationException();
  }

  /** Returns the requests of each user's validation period. */
  public RequestSource validation() {
    throw new UnsupportedOperationException();
  }

  /** Returns the requests of each user's test period. */
  public RequestSource test() {
    throw new UnsupportedOperationException();
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {
    private Builder() {}

    /** Sets the largest number of consecutive rows that become one request's candidates; default 8. */
    public Builder candidatesPerRequest(int rows) {
      throw new UnsupportedOperationException();
    }

    /** Sets the number of newest events a history keeps; default: all. */
    public Builder maxHistory(int events) {
      throw new UnsupportedOperationException();
    }

    /** Leaves out requests with fewer events; default 0. */
    public Builder minHistory(int events) {
      throw new UnsupportedOperationException();
    }

    /** Sets the newest share of each user's rows that is for validation, before the test; default 0. */
    public Builder validationShare(double share) {
      throw new UnsupportedOperationException();
    }

    /** Sets the newest share of each user's rows that is for the test; default 0. */
    public Builder testShare(double share) {
      throw new UnsupportedOperationException();
    }

    /** Sets the rows of one user that are held in memory, beyond which an error is thrown; default 1 000 000. */
    public Builder maxRowsPerUser(int rows) {
      throw new UnsupportedOperationException();
    }

    /** Returns the builder of requests. */
    public RequestBuilder build() {
      throw new UnsupportedOperationException();
    }
  }
}
