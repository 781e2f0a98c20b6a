package ai.longer.samples.quickstart;

import ai.longer.Schema;
import ai.longer.data.Request;
import ai.longer.data.RequestBuilder;
import ai.longer.data.RequestSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Requests made of the ratings: each user's last 20 % by time are for the test, the 8 % before them
 * for early stopping, the rest for training.
 *
 * <p>A request holds up to 8 consecutive ratings of a user as candidates. Its history and reference
 * time lie strictly before the first of them.
 */
record Split(List<Request> training, List<Request> validation, List<Request> test) {
  private static final int CANDIDATES = 8;
  private static final double TEST_SHARE = 0.2;
  private static final double VALIDATION_SHARE = 0.08;

  static Split of(MovieLens data, Schema schema) {
    RequestBuilder requests =
        RequestBuilder.builder(schema, data::log)
            .candidatesPerRequest(CANDIDATES)
            .testShare(TEST_SHARE)
            .validationShare(VALIDATION_SHARE)
            .build();
    Split split =
        new Split(read(requests.training()), read(requests.validation()), read(requests.test()));
    split.checkNothingLeaks(data);
    return split;
  }

  /** Everything before the test period. */
  List<Request> trainingAndValidation() {
    return Stream.of(training, validation).flatMap(List::stream).toList();
  }

  /** The same requests with other histories. */
  Split map(UnaryOperator<Request> change) {
    return new Split(
        training.stream().map(change).toList(),
        validation.stream().map(change).toList(),
        test.stream().map(change).toList());
  }

  /**
   * Checks against the ratings themselves, not against how the requests were built: a request knows
   * nothing of the time of its own candidates or later, and training and validation nothing of the
   * test period.
   *
   * @throws IllegalStateException if something leaks; the message says what and where
   */
  void checkNothingLeaks(MovieLens data) {
    Map<Long, Map<Long, Long>> timeOf = new HashMap<>();
    for (MovieLens.Rating r : data.ratings()) {
      timeOf.computeIfAbsent(r.user(), u -> new HashMap<>()).put(r.movie(), r.time());
    }
    Map<Long, Long> trainingEnds = checkPart("training", training, timeOf, Map.of());
    Map<Long, Long> validationEnds = checkPart("validation", validation, timeOf, trainingEnds);
    Map<Long, Long> before = new HashMap<>(trainingEnds);
    before.putAll(validationEnds);
    checkPart("test", test, timeOf, before);
    long candidates =
        Stream.of(training, validation, test)
            .flatMap(List::stream)
            .mapToLong(r -> r.candidates().size())
            .sum();
    if (candidates != data.ratings().size()) {
      throw new IllegalStateException(
          "[split] every rating must be a candidate once; %d ratings became %d candidates"
              .formatted(data.ratings().size(), candidates));
    }
  }

  private static long timeOf(Map<Long, Long> times, long movie, String part, Request request) {
    Long time = times.get(movie);
    require(time != null, part, request, "movie");
    return Objects.requireNonNull(time);
  }

  /** Returns each user's last candidate time; all times must lie after {@code before}. */
  private static Map<Long, Long> checkPart(
      String part,
      List<Request> requests,
      Map<Long, Map<Long, Long>> timeOf,
      Map<Long, Long> before) {
    Map<Long, Long> ends = new HashMap<>();
    for (Request request : requests) {
      long user = request.groupKey();
      Map<Long, Long> times = timeOf.getOrDefault(user, Map.of());
      long[] movies = request.candidates().longs("movie");
      long first = Long.MAX_VALUE;
      for (long movie : movies) {
        long time = timeOf(times, movie, part, request);
        first = Math.min(first, time);
        ends.merge(user, time, Math::max);
        require(time > before.getOrDefault(user, Long.MIN_VALUE), part, request, "period");
      }
      require(movies.length <= CANDIDATES, part, request, "number of candidates");
      require(request.referenceTime() < first, part, request, "reference time");
      Set<Long> candidates = new HashSet<>();
      for (long movie : movies) {
        candidates.add(movie);
      }
      long[] past = request.history().longs("movie");
      for (int i = 0; i < past.length; i++) {
        long time = timeOf(times, past[i], part, request);
        require(time == request.history().time(i), part, request, "event time");
        require(request.history().time(i) < first, part, request, "history");
        require(!candidates.contains(past[i]), part, request, "candidate in its own history");
      }
    }
    return ends;
  }

  private static void require(boolean holds, String part, Request request, String what) {
    if (!holds) {
      throw new IllegalStateException(
          "[split] the %s of a %s request leaks: %s".formatted(what, part, request));
    }
  }

  private static List<Request> read(RequestSource source) {
    try (Stream<Request> requests = source.stream()) {
      return requests.toList();
    }
  }
}
