package ai.longer.data;

import ai.longer.Schema;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Turns a log into requests without leakage.
 *
 * <p>The log is sorted by user key, then time. Consecutive rows of a user become the candidates of
 * one request, as many as {@link Builder#candidatesPerRequest} and as long as user and context
 * values stay equal. Its history is the user's rows in a strictly earlier second than the first of
 * them, and its reference time is one second before it; its group key is the user key.
 *
 * <p>Each user's rows are split by time into training, validation and test: the newest share is for
 * the test, the share before it for validation. Rows of one second fall into the same part, the
 * later one. A request's candidates come from one part; its history may reach into earlier parts.
 *
 * <p>Holds the rows of one user at a time. Immutable; safe for use by several threads if the log
 * is.
 */
public final class RequestBuilder {
  private final Builder settings;

  private RequestBuilder(Builder settings) {
    this.settings = settings;
  }

  /**
   * Starts from a log sorted by user key, then time.
   *
   * @param log makes a stream over the rows, once per pass; it is closed after each
   */
  public static Builder builder(Schema schema, Supplier<Stream<Interaction>> log) {
    return new Builder(schema, log);
  }

  /** Returns the requests before each user's validation and test periods. */
  public RequestSource training() {
    return () -> stream(UserLog.Part.TRAINING);
  }

  /** Returns the requests of each user's validation period. */
  public RequestSource validation() {
    return () -> stream(UserLog.Part.VALIDATION);
  }

  /** Returns the requests of each user's test period. */
  public RequestSource test() {
    return () -> stream(UserLog.Part.TEST);
  }

  private Stream<Request> stream(UserLog.Part part) {
    Stream<Interaction> rows = settings.log.get();
    UserLogs users = new UserLogs(settings.schema, rows.iterator(), settings.maxRowsPerUser);
    Iterator<Request> requests =
        new Iterator<>() {
          private Iterator<Request> ofUser = Stream.<Request>empty().iterator();

          @Override
          public boolean hasNext() {
            while (!ofUser.hasNext() && users.hasNext()) {
              ofUser = users.next().requests(part, settings.rules());
            }
            return ofUser.hasNext();
          }

          @Override
          public Request next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            return ofUser.next();
          }
        };
    int traits = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(requests, traits), false)
        .onClose(rows::close);
  }

  /** Takes a request and the part it is of. */
  interface Sink {
    void accept(UserLog.Part part, Request request);
  }

  /** Makes one pass over the log for all parts; returns the number of users. */
  long forEach(Sink sink) {
    long users = 0;
    try (Stream<Interaction> rows = settings.log.get()) {
      UserLogs logs = new UserLogs(settings.schema, rows.iterator(), settings.maxRowsPerUser);
      for (; logs.hasNext(); users++) {
        UserLog user = logs.next();
        for (UserLog.Part part : UserLog.Part.values()) {
          user.requests(part, settings.rules()).forEachRemaining(r -> sink.accept(part, r));
        }
      }
    }
    return users;
  }

  /** How one user's rows become requests. */
  record Rules(
      int candidatesPerRequest,
      int maxHistory,
      int minHistory,
      double validationShare,
      double testShare) {}

  /** Collects settings. Not thread-safe. */
  public static final class Builder {
    private final Schema schema;
    private final Supplier<Stream<Interaction>> log;
    private int candidatesPerRequest = 8;
    private int maxHistory = Integer.MAX_VALUE;
    private int minHistory;
    private double validationShare;
    private double testShare;
    private int maxRowsPerUser = 1_000_000;

    private Builder(Schema schema, Supplier<Stream<Interaction>> log) {
      this.schema = Objects.requireNonNull(schema, "schema");
      this.log = Objects.requireNonNull(log, "log");
    }

    private Builder(Builder other) {
      schema = other.schema;
      log = other.log;
      candidatesPerRequest = other.candidatesPerRequest;
      maxHistory = other.maxHistory;
      minHistory = other.minHistory;
      validationShare = other.validationShare;
      testShare = other.testShare;
      maxRowsPerUser = other.maxRowsPerUser;
    }

    private Rules rules() {
      return new Rules(candidatesPerRequest, maxHistory, minHistory, validationShare, testShare);
    }

    /** Sets the largest number of consecutive rows in one request; default 8. */
    public Builder candidatesPerRequest(int rows) {
      candidatesPerRequest = atLeast(1, rows, "candidates per request");
      return this;
    }

    /** Sets the number of newest events that a history keeps; default: all. */
    public Builder maxHistory(int events) {
      maxHistory = atLeast(0, events, "max history");
      return this;
    }

    /** Leaves out requests with fewer events; default 0. */
    public Builder minHistory(int events) {
      minHistory = atLeast(0, events, "min history");
      return this;
    }

    /** Sets the share of each user's rows before the test that is for validation; default 0. */
    public Builder validationShare(double share) {
      validationShare = share(share, "validation share");
      return this;
    }

    /** Sets the newest share of each user's rows that is for the test; default 0. */
    public Builder testShare(double share) {
      testShare = share(share, "test share");
      return this;
    }

    /** Sets how many rows of one user are held in memory; more are an error; default 1 000 000. */
    public Builder maxRowsPerUser(int rows) {
      maxRowsPerUser = atLeast(1, rows, "max rows per user");
      return this;
    }

    private static int atLeast(int least, int value, String what) {
      if (value < least) {
        throw new IllegalArgumentException(
            "[request_builder] %s must be at least %d; got %d".formatted(what, least, value));
      }
      return value;
    }

    private static double share(double share, String what) {
      if (!(share >= 0 && share <= 1)) {
        throw new IllegalArgumentException(
            "[request_builder] %s must be in 0 … 1; got %s".formatted(what, share));
      }
      return share;
    }

    /**
     * Returns the request builder.
     *
     * @throws IllegalArgumentException if validation and test share sum to more than 1
     */
    public RequestBuilder build() {
      if (validationShare + testShare > 1) {
        throw new IllegalArgumentException(
            "[request_builder] validation and test share must not sum to more than 1; got %s and %s"
                .formatted(validationShare, testShare));
      }
      return new RequestBuilder(new Builder(this));
    }
  }
}
